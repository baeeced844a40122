// My own files on their way out: a few at a time, each can be cancelled, a large one paused, and what broke off goes on.
//
// An upload and the `transfer` that the server tells of it are one thing to people. `claim` finds which belongs to
// which, so that one card is drawn: the server's number, my buttons.

import { signal } from "../vendor/signals-core.js";
import { backoff } from "../helpers/backoff.js";

const AT_ONCE = 2; // browsers open six connections to one host; some are for the page itself
const TRIES_MAX = 8; // without a byte more: about half a minute, then a button says so
const PASSING = ["unreachable", "busy", "rate_limited"]; // what may be better in a moment

export class Uploads {
  list = signal([]); // {key, name, size, sent, state, url?, code?, message?, id?}, oldest first; states as below
  #files = new Map(); // key -> File
  #runs = new Map(); // key -> {done, abort()} of what is "sending"; the others are "queued", "paused", "waiting", "sent" or "failed"
  #tries = new Map(); // key -> {count, from}: how often in vain, and where the last try began
  #platform;
  #carrier;
  #unfinished;

  /**
   * `carrier.send(file, upload, {progress, begun})` answers `{done: Promise<entry>, abort()}`; `done` rejects with
   * {code, message}. `begun(url)` says where the upload may go on, which is kept in `unfinished`; `carrier.drop(url)`
   * takes it away there.
   */
  constructor(platform, carrier, unfinished) {
    this.#platform = platform;
    this.#carrier = carrier;
    this.#unfinished = unfinished;
  }

  /** With a `url` it goes on there. */
  add(key, file, name, url) {
    this.#files.set(key, file);
    this.list.value = [...this.list.value, { key, name, size: file.size, sent: 0, state: "queued", url }];
    this.#next();
  }

  pause(key) {
    this.#change(key, { state: "paused" });
    this.#stop(key);
    this.#next();
  }

  /** After a pause, or after a failure: on from where the server stands. */
  resume(key) {
    this.#tries.delete(key);
    this.#change(key, { state: "queued", code: undefined, message: undefined });
    this.#next();
  }

  /** The server is there again: whatever waited for it goes on. */
  revive() {
    for (const { key, state, code } of this.list.value) {
      if (state === "waiting" || (state === "failed" && code === "unreachable")) this.resume(key);
    }
  }

  /** Stop it, here and at `url`, and forget it. */
  cancel(key, url) {
    this.#stop(key);
    this.settle(key);
    if (url) this.#carrier.drop(url);
    this.#next();
  }

  /** The entry with this key is in the log: the upload has done its work. */
  settle(key) {
    this.#unfinished.forget(key);
    if (!this.#files.delete(key)) return;
    this.#tries.delete(key);
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
    const mine = transfer.key ? this.#find(transfer.key) : this.#guess(transfer, myId);
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
    const free = AT_ONCE - this.#runs.size;
    const queued = this.list.value.filter((upload) => upload.state === "queued");
    for (const upload of queued.slice(0, Math.max(0, free))) this.#start(upload);
  }

  #start(upload) {
    const { key } = upload;
    let from; // the first number told is where the server stood
    const run = this.#carrier.send(this.#files.get(key), upload, {
      begun: (url) => this.#begun(key, url),
      progress: (sent) => {
        from ??= sent;
        this.#change(key, { sent });
      },
    });
    /** What was stopped, or begun anew meanwhile, has no say any more. */
    const ended = (tell) => {
      if (this.#runs.get(key) !== run) return;
      this.#runs.delete(key);
      tell();
      this.#next();
    };
    this.#runs.set(key, run);
    this.#change(key, { state: "sending" });
    run.done.then(
      (entry) => ended(() => this.#change(key, { state: "sent", id: entry.file.id })),
      (fault) => ended(() => this.#broken(key, fault, from ?? 0)),
    );
  }

  #stop(key) {
    const run = this.#runs.get(key);
    this.#runs.delete(key);
    run?.abort();
  }

  /** One that was cancelled before anybody knew where it is goes now. */
  #begun(key, url) {
    const file = this.#files.get(key);
    if (!file) return void this.#carrier.drop(url);
    const id = url.split("/").at(-1);
    this.#change(key, { url, id });
    const { name, size } = this.#find(key);
    this.#unfinished.keep({ key, name, size, modified: file.lastModified, url, id });
  }

  /** Tried again with growing patience, as long as each try brings it further or the tries are few. */
  #broken(key, { code, message }, from) {
    const last = this.#tries.get(key) ?? { count: 0, from: 0 };
    const count = from > last.from ? 1 : last.count + 1;
    this.#tries.set(key, { count, from });
    if (!PASSING.includes(code) || count > TRIES_MAX) return void this.#change(key, { state: "failed", code, message });
    this.#change(key, { state: "waiting" });
    this.#platform.later(backoff(count - 1, this.#platform.random), () => {
      if (this.#find(key)?.state !== "waiting") return;
      this.#change(key, { state: "queued" });
      this.#next();
    });
  }

  #find(key) {
    return this.list.value.find((upload) => upload.key === key);
  }

  #change(key, change) {
    this.list.value = this.list.value.map((upload) => (upload.key === key ? { ...upload, ...change } : upload));
  }
}
