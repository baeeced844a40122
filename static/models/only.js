// What one peer sent, alone: the same window and the same paging as the whole log has, over fewer entries.

import { signal } from "../vendor/signals-core.js";
import { History } from "./history.js";
import { PAGE_ENTRIES, RoomLog } from "./log.js";

const CATCH_UP = 500;

export class Only {
  here = signal(false); // its newest entries have come
  #who;
  #whole;
  #ask;

  /** `whole` is the room's log; `ask(query)` answers a promise of the room's entries. */
  constructor(peer, whole, ask) {
    this.peer = peer;
    this.#who = peer.via === "http" ? peer.name : peer.id; // who sends by `curl` is another author each time
    this.#whole = whole;
    this.#ask = (query) => ask(`${query}&from=${encodeURIComponent(this.#who)}`);
    this.log = new RoomLog(whole.epoch);
    this.history = new History(this.log, this.#ask);
  }

  /** The newest of it; then what came while we asked. */
  async open() {
    let upTo = this.#whole.position;
    this.log.seed(await this.#ask(`before=${upTo + 1}&limit=${PAGE_ENTRIES}`), PAGE_ENTRIES);
    while (upTo < this.#whole.position) {
      const after = upTo;
      upTo = this.#whole.position;
      this.log.take(await this.#ask(`after=${after}&limit=${CATCH_UP}`));
    }
    this.here.value = true;
  }

  /** Entries of the whole log, as they come. */
  take(entries) {
    for (const { type, withdraws } of entries) if (type === "withdraw") this.log.drop(withdraws);
    if (this.here.value) this.log.take(entries.filter(({ from }) => from.id === this.#who || from.name === this.#who));
  }
}
