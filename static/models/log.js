// What this page shows of the room's log: a window of at most 300 rows, in order, each number once.
//
// The window normally follows the end. Reading far back, or going to an entry of long ago, leaves the newest rows out
// (`detached`): then new entries only raise the position. models/history.js moves it, and comes back to them. What was
// withdrawn leaves the window, and does not come back with a page that was on its way meanwhile.

import { computed, signal } from "../vendor/signals-core.js";

export const PAGE_ENTRIES = 50; // in the page as it comes, and in each answer to who reads on
export const WINDOW_ROWS = 300; // 300 rows render in about 60 ms; 3 000 took ten times that

export class RoomLog {
  items = signal([]); // entries and gap markers, ascending
  detached = signal(false);
  exhausted = signal(false); // nothing is before the window
  #withdrawn = new Set();
  hasOlder = computed(() => !this.exhausted.value && (this.items.value[0]?.seq ?? 1) > 1);
  epoch = null;
  position = 0; // the newest number seen, which is what `after` says on return

  constructor(epoch = null, position = 0) {
    this.epoch = epoch;
    this.position = position;
  }

  /** The page's own first entries; fewer than `full` means that there is nothing before them. */
  seed(entries, full) {
    this.take(entries);
    this.exhausted.value = entries.length < full;
  }

  /** Add what came, in order; numbers already seen are ignored. Answers the entries that were new. */
  take(entries) {
    const fresh = [];
    for (const entry of entries) {
      if (entry.seq <= this.position) continue;
      this.position = entry.seq;
      if (entry.type === "withdraw") this.#withdrawn.add(entry.withdraws);
      fresh.push(entry);
    }
    if (fresh.length) this.show(this.detached.value ? this.items.value : [...this.items.value, ...fresh].slice(-WINDOW_ROWS));
    return fresh;
  }

  /** A stretch that the server no longer has. Both ends null: another log altogether, so begin anew. */
  gap({ from, to }) {
    if (from == null && to == null) {
      this.position = 0;
      this.detached.value = false;
      this.exhausted.value = false;
      this.#withdrawn.clear();
      this.show([]);
      return;
    }
    this.position = Math.max(this.position, to);
    if (!this.detached.value) this.show([...this.items.value, { type: "gap", from, to, seq: to }].slice(-WINDOW_ROWS));
  }

  /** One was withdrawn, by an entry that has no place here. */
  drop(seq) {
    this.#withdrawn.add(seq);
    this.show(this.items.value);
  }

  /** Rows in the place of those that the window shows; what was withdrawn is left out. */
  show(items) {
    // Rows that fell out at the top can be fetched again.
    if (items[0]?.seq > (this.items.value[0]?.seq ?? Infinity)) this.exhausted.value = false;
    this.items.value = items.filter((item) => item.type === "gap" || !this.#withdrawn.has(item.seq));
  }
}
