// How far the reader has read: where the line "new" stands, how much was missed, and what another visit will call new.

import { signal } from "../vendor/signals-core.js";

export class Reading {
  marker = signal(null); // {after, count, missed}: the line stands before the first entry above `after`
  #shelf;
  #seen; // the newest number that was on the screen while somebody looked
  #growing = false; // what comes now is counted by the marker that stands

  /** `shelf` has `read()` and `write({epoch, seq})`. */
  constructor(shelf, epoch) {
    this.#shelf = shelf;
    const kept = shelf.read();
    this.#seen = kept && kept.epoch === epoch ? kept.seq : null;
  }

  /** The page opens with these entries of others: what is above where the last visit ended was missed. */
  open(entries) {
    if (this.#seen === null) return;
    const fresh = entries.filter((entry) => entry.seq > this.#seen);
    if (fresh.length) this.marker.value = { after: this.#seen, count: fresh.length, missed: true };
  }

  /** Entries of others came: seen at once, or counted; `missed` ones were said while we were cut off. */
  heard(entries, looking, missed = false) {
    if (!entries.length || (looking && !missed)) return;
    const marker = this.marker.value;
    if (this.#growing && marker) this.marker.value = { ...marker, count: marker.count + entries.length };
    else this.marker.value = { after: entries[0].seq - 1, count: entries.length, missed };
    this.#growing = true;
  }

  /** Somebody looks at the end of the log, which stands at `seq`. */
  looked(epoch, seq) {
    this.#growing = false;
    if (seq <= this.#seen) return;
    this.#seen = seq;
    this.#shelf.write({ epoch, seq });
  }

  /** The line has done its work. */
  clear() {
    this.marker.value = null;
    this.#growing = false;
  }

  /** Another log: its numbers mean other things. */
  forget() {
    this.clear();
    this.#seen = null;
  }
}
