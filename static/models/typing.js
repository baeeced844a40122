// Who is writing right now: each word of it counts for a few seconds.

import { signal } from "../vendor/signals-core.js";

const LASTS_MS = 5000;
export const TELL_EVERY_MS = 3000; // shorter than LASTS_MS, so that a steady writer never flickers

export class Typing {
  names = signal([]);
  #ends = new Map(); // peer id -> {name, timer}
  #platform;
  #toldAt = -Infinity;

  constructor(platform) {
    this.#platform = platform;
  }

  heard({ id, name }) {
    this.#platform.forget(this.#ends.get(id)?.timer);
    this.#ends.set(id, { name, timer: this.#platform.later(LASTS_MS, () => this.stopped(id)) });
    this.#show();
  }

  /** They have said it, or left, or thought better of it. */
  stopped(id) {
    const entry = this.#ends.get(id);
    if (!entry) return;
    this.#platform.forget(entry.timer);
    this.#ends.delete(id);
    this.#show();
  }

  /** May I tell the others, at `now`, that I am writing? At most every three seconds. */
  mayTell(now) {
    if (now - this.#toldAt < TELL_EVERY_MS) return false;
    this.#toldAt = now;
    return true;
  }

  /** My words are out; the next ones are news again. */
  said() {
    this.#toldAt = -Infinity;
  }

  #show() {
    this.names.value = Array.from(this.#ends.values(), (entry) => entry.name);
  }
}
