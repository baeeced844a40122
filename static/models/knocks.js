// Strangers who wait for a host's word.

import { signal } from "../vendor/signals-core.js";

export class Knocks {
  list = signal([]); // {id, via, addr, text}
  #ask;

  /** `ask(object)` sends it, or says that nobody hears. */
  constructor(ask) {
    this.#ask = ask;
  }

  /** Who knocked before we were cut off is told anew, or is gone. */
  meet() {
    this.list.value = [];
  }

  /** Somebody knocks, or another host has answered. */
  heard({ id, via, addr, text, answered }) {
    const others = this.list.value.filter((knock) => knock.id !== id);
    this.list.value = answered === undefined ? [...others, { id, via, addr, text }] : others;
  }

  /** The card goes when the server says so. */
  admit({ id }, always) {
    this.#ask({ type: "admit", id, always });
  }

  turnAway({ id }) {
    this.#ask({ type: "refuse", id });
  }
}
