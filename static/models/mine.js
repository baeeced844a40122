// Which entries are my own: those whose keys I made, remembered across reloads and restarts of the server.
//
// Peer ids will not do: they belong to a seat, and another seat may bear the same one tomorrow.

import { signal } from "../vendor/signals-core.js";

const KEYS_MAX = 500; // more than the window shows

export class Mine {
  keys = signal(new Set());
  #shelf;

  /** `shelf` has `read()` and `write(list)`. */
  constructor(shelf) {
    this.#shelf = shelf;
    this.keys.value = new Set(shelf.read() ?? []);
  }

  remember(key) {
    if (this.keys.value.has(key)) return;
    const keys = [...this.keys.value, key].slice(-KEYS_MAX);
    this.keys.value = new Set(keys);
    this.#shelf.write(keys);
  }

  has(entry) {
    return this.keys.value.has(entry.key);
  }
}
