// Moving through a long log: a page up, a page down, to an entry, to a day, and back to the end.

import { signal } from "../vendor/signals-core.js";
import { PAGE_ENTRIES, WINDOW_ROWS } from "./log.js";

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
      const oldest = entriesOf(this.#log).at(0);
      if (oldest) older(this.#log, await this.#ask(`before=${oldest.seq}&limit=${PAGE_ENTRIES}`), PAGE_ENTRIES);
    });
  }

  /** Fifty entries more at the foot, after the newest were let go. */
  newer() {
    return this.#once(async () => {
      const newest = entriesOf(this.#log).at(-1);
      if (newest) newer(this.#log, await this.#ask(`after=${newest.seq}&limit=${PAGE_ENTRIES}`));
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
    follow(this.#log, entries);
  }

  /** To an entry by its number, or to the first after it that is still there. Answers whether there is one. */
  async to(seq) {
    const near = entriesOf(this.#log).find((entry) => entry.seq === seq) ?? (await this.#fetchAround(seq));
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
    if (before.length || from.length) around(this.#log, [...before, ...from], before.length < PAGE_ENTRIES);
    return from[0] ?? before.at(-1);
  }

  #once(step) {
    this.#going ??= step().finally(() => {
      this.#going = null;
    });
    return this.#going;
  }
}

/** What of the window can be asked about by number. */
const entriesOf = (log) => log.items.value.filter((item) => item.type !== "gap");

/** Entries from before the window, newest of them last; fewer than asked for means the beginning is reached. */
export function older(log, entries, asked) {
  const oldest = log.items.value[0]?.seq ?? Infinity;
  const all = [...entries.filter((entry) => entry.seq < oldest), ...log.items.value];
  if (entries.length < asked) log.exhausted.value = true;
  if (all.length > WINDOW_ROWS) log.detached.value = true;
  log.show(all.slice(0, WINDOW_ROWS));
}

/** Entries from after the window; with the newest known among them the window follows the end again. */
function newer(log, entries) {
  const newest = log.items.value.at(-1)?.seq ?? 0;
  const all = [...log.items.value, ...entries.filter((entry) => entry.seq > newest)];
  log.detached.value = (all.at(-1)?.seq ?? 0) < log.position;
  log.show(all.slice(-WINDOW_ROWS));
}

/** Somewhere else altogether: a stretch of entries, at the beginning of the log or not. */
function around(log, entries, beginning) {
  log.detached.value = entries.at(-1).seq < log.position;
  log.show(entries);
  log.exhausted.value = beginning;
}

/** Back at the end, with the newest entries. */
export function follow(log, entries) {
  log.detached.value = false;
  log.exhausted.value = false;
  log.position = Math.max(log.position, entries.at(-1)?.seq ?? 0);
  log.show(entries.slice(-WINDOW_ROWS));
}
