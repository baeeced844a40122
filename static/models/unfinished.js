// Large uploads of mine that may go on after a reload: all that is kept of them, until the file is chosen once more.
//
// Two tabs share one shelf, so each change reads it first and touches one upload only.

import { signal } from "../vendor/signals-core.js";

export class Unfinished {
  list = signal([]); // {key, name, size, modified, url, id}
  #shelf;

  /** `shelf` has `read()` and `write({key: upload})`. */
  constructor(shelf) {
    this.#shelf = shelf;
    this.list.value = Object.values(shelf.read() ?? {});
  }

  keep(upload) {
    this.#write({ ...this.#shelf.read(), [upload.key]: upload });
  }

  forget(key) {
    const { [key]: known, ...others } = this.#shelf.read() ?? {};
    if (known) this.#write(others);
  }

  /** The server tells of these that run or rest; there is nothing to go on with at any other. */
  meet(ids) {
    for (const { key, id } of this.list.value) if (!ids.includes(id)) this.forget(key);
  }

  #write(all) {
    this.#shelf.write(all);
    this.list.value = Object.values(all);
  }
}
