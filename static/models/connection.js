// One WebSocket that comes back: open, listen, and after any loss knock again with growing patience.

import { signal } from "../vendor/signals-core.js";
import { backoff } from "../helpers/backoff.js";

const BROKE_A_RULE = 1008; // docs/protocols/browser.md

export class Connection {
  state = signal("connecting"); // "connecting" | "open" | "lost" | "shut": a host removed us, and coming back at once is no use
  attempt = signal(0); // failed tries in a row, for the banner
  #platform;
  #address;
  #heard;
  #socket = null;
  #timer = null;
  #ended = false;

  /**
   * `address()` answers the URL to open now (it carries the position, so it changes); `heard(text)` gets each frame.
   * `platform` has `open(url)`, `later(ms, call)`, `forget(timer)` and `random()`.
   */
  constructor(platform, address, heard) {
    this.#platform = platform;
    this.#address = address;
    this.#heard = heard;
  }

  open() {
    this.#platform.forget(this.#timer);
    this.#timer = null;
    const socket = this.#platform.open(this.#address());
    this.#socket = socket;
    socket.onmessage = (event) => {
      if (socket === this.#socket && typeof event.data === "string") this.#heard(event.data);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      if (code === BROKE_A_RULE && reason === "removed") this.#shut();
      else this.#lost();
    };
  }

  /** The first frame has come, so we are really in: a proxy may accept a socket and close it right after. */
  seated() {
    this.state.value = "open";
    this.attempt.value = 0;
  }

  /** Send if we are in; else say so, and the caller keeps it until we are. */
  send(object) {
    if (this.state.value !== "open") return false;
    this.#socket.send(JSON.stringify(object));
    return true;
  }

  /** Somebody pressed the button, or the network says it is back: do not wait out the timer. */
  now() {
    if (this.#timer === null && this.state.value !== "shut") return;
    this.attempt.value = 0;
    this.open();
  }

  close() {
    this.#ended = true;
    this.#platform.forget(this.#timer);
    this.#socket?.close();
  }

  #shut() {
    this.#socket = null;
    this.state.value = "shut";
  }

  #lost() {
    this.#socket = null;
    if (this.#ended) return;
    this.state.value = "lost";
    this.#timer = this.#platform.later(backoff(this.attempt.value, this.#platform.random), () => this.open());
    this.attempt.value += 1;
  }
}
