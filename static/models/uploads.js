// My own files on their way out: a few at a time, each can be cancelled, and a failed one can go again.
//
// An upload and the `transfer` that the server tells of it are one thing to people. `claim` finds which belongs to
// which, so that one card is drawn: the server's number, my buttons.

import { signal } from "../vendor/signals-core.js";

const AT_ONCE = 2; // browsers open six connections to one host; some are for the page itself

export class Uploads {
  list = signal([]); // {key, name, size, sent, state: "queued" | "sending" | "sent" | "failed", code?, message?, id?}
  #files = new Map(); // key -> File
  #running = new Map(); // key -> abort()
  #put;

  /** `put(file, name, key, onProgress)` answers `{done: Promise<entry>, abort()}`; `done` rejects with {code, message}. */
  constructor(put) {
    this.#put = put;
  }

  add(key, file, name) {
    this.#files.set(key, file);
    this.list.value = [...this.list.value, { key, name, size: file.size, sent: 0, state: "queued" }];
    this.#next();
  }

  retry(key) {
    this.#change(key, { state: "queued", sent: 0, code: undefined, message: undefined, id: undefined });
    this.#next();
  }

  /** Stop it and forget it. */
  cancel(key) {
    this.#running.get(key)?.();
    this.settle(key);
  }

  /** The entry with this key is in the log: the upload has done its work. */
  settle(key) {
    if (!this.#files.delete(key)) return;
    this.list.value = this.list.value.filter((upload) => upload.key !== key);
  }

  /**
   * Which upload is this transfer? By its key where the server says it, else the first of mine under way with the
   * same size. Answers the upload, or undefined when it is someone else's. A failed transfer is not bound
   * to its upload: the next try will be another transfer.
   */
  claim(transfer, myId) {
    const known = this.list.value.find((upload) => upload.id === transfer.id);
    if (known) return known;
    const mine = transfer.key ? this.list.value.find(({ key }) => key === transfer.key) : this.#guess(transfer, myId);
    if (mine && transfer.state !== "failed") this.#change(mine.key, { id: transfer.id });
    return mine;
  }

  /** The name decides between equals only: the server may have tidied it. */
  #guess({ from, name, size }, myId) {
    if (from?.id !== myId) return undefined;
    const alike = this.list.value.filter((upload) => upload.state !== "queued" && !upload.id && upload.size === size);
    return alike.find((upload) => upload.name === name) ?? alike[0];
  }

  #next() {
    const free = AT_ONCE - this.#running.size;
    const queued = this.list.value.filter((upload) => upload.state === "queued");
    for (const upload of queued.slice(0, Math.max(0, free))) this.#start(upload);
  }

  #start({ key, name }) {
    const { done, abort } = this.#put(this.#files.get(key), name, key, (sent) => this.#change(key, { sent }));
    this.#running.set(key, abort);
    this.#change(key, { state: "sending" });
    done
      .then(
        (entry) => this.#change(key, { state: "sent", id: entry.file.id }),
        ({ code, message }) => this.#change(key, { state: "failed", code, message }),
      )
      .finally(() => {
        this.#running.delete(key);
        this.#next();
      });
  }

  #change(key, change) {
    this.list.value = this.list.value.map((upload) => (upload.key === key ? { ...upload, ...change } : upload));
  }
}
