// Moving through a long log: a page up, a page down, to an entry, to a day, and back to the end.

import { signal } from "../vendor/signals-core.js";

export const PAGE_ENTRIES = 50;

export class History {
  target = signal(null); // {seq}: where the reader wants to be; another object each time, so that twice is twice
  #log;
  #ask;
  #going = null; // one step at a time; who asks again meanwhile gets the one under way

  /** `ask(query)` answers a promise of the room's entries for `before=`, `after=` and `limit=`. */
  constructor(log, ask) {
    this.#log = log;
    this.#ask = ask;
  }

  /** Fifty entries more at the top. */
  older() {
    return this.#once(async () => {
      const oldest = this.#log.entries().at(0);
      if (oldest) this.#log.older(await this.#ask(`before=${oldest.seq}&limit=${PAGE_ENTRIES}`), PAGE_ENTRIES);
    });
  }

  /** Fifty entries more at the foot, after the newest were let go. */
  newer() {
    return this.#once(async () => {
      const newest = this.#log.entries().at(-1);
      if (newest) this.#log.newer(await this.#ask(`after=${newest.seq}&limit=${PAGE_ENTRIES}`));
    });
  }

  /** Back to the newest entries. */
  async latest() {
    let entries;
    let asked;
    do {
      asked = this.#log.position;
      entries = await this.#ask(`before=${asked + 1}&limit=${PAGE_ENTRIES}`);
    } while (asked < this.#log.position); // more came while we asked
    this.#log.follow(entries);
  }

  /** To an entry by its number, or to the first after it that is still there. Answers whether there is one. */
  async to(seq) {
    const near = this.#log.entries().find((entry) => entry.seq === seq) ?? (await this.#fetchAround(seq));
    if (near) this.target.value = { seq: near.seq };
    return Boolean(near);
  }

  /** To what was first said at this moment or later. */
  async toMoment(at) {
    let low = 0; // everything up to here was said before
    let high = this.#log.position;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [entry] = await this.#ask(`after=${middle}&limit=1`);
      if (entry && entry.at < at) low = entry.seq;
      else high = middle;
    }
    return this.to(low + 1);
  }

  async #fetchAround(seq) {
    const [before, from] = await Promise.all([
      this.#ask(`before=${seq}&limit=${PAGE_ENTRIES}`),
      this.#ask(`after=${seq - 1}&limit=${PAGE_ENTRIES}`),
    ]);
    if (before.length || from.length) this.#log.around([...before, ...from], before.length < PAGE_ENTRIES);
    return from[0] ?? before.at(-1);
  }

  #once(step) {
    this.#going ??= step().finally(() => {
      this.#going = null;
    });
    return this.#going;
  }
}
