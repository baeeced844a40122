// Files on their way into the room: mine with what I may do about them, and everybody's as the server tells of them.

import { computed } from "../vendor/signals-core.js";
import { uploadPath } from "../helpers/files.js";
import { Transfers } from "./transfers.js";
import { Unfinished } from "./unfinished.js";
import { Uploads } from "./uploads.js";

const PUT_MAX_BYTES = 2 ** 20; // sent before anybody could press "pause"; what is larger may stop and go on

export class Sending {
  transfers = new Transfers();
  #room;
  #platform;
  #newKey;

  /** `platform` has `put`, `send` and `drop`; `shelf` is that of what is unfinished. */
  constructor(room, { platform, shelf, newKey }) {
    this.#room = room;
    this.#platform = platform;
    this.#newKey = newKey;
    this.unfinished = new Unfinished(shelf);
    const carrier = { send: (...what) => this.#carry(...what), drop: (url) => platform.drop(url, room.me) };
    this.uploads = new Uploads(platform, carrier, this.unfinished);

    // Begun by an earlier page, and nobody is sending: they wait for their file.
    this.halfway = computed(() => {
      const here = new Set(this.uploads.list.value.map(({ key }) => key));
      const resting = new Set(this.transfers.list.value.filter(({ state }) => state === "paused").map(({ id }) => id));
      return this.unfinished.list.value.filter(({ key, id }) => resting.has(id) && !here.has(key));
    });
  }

  /** A file to send; or one that an earlier page began to send, which goes on. */
  upload(file, name) {
    const same = (one) => one.name === name && one.size === file.size && one.modified === file.lastModified;
    const { key = this.#newKey(), url } = this.halfway.value.find(same) ?? {};
    this.#room.mine.remember(key);
    this.uploads.add(key, file, name, url);
  }

  /** Here is the file of something that lies half way. Answers whether it can be. */
  goOn({ key, name, size, url }, file) {
    if (file.size !== size) return false;
    this.uploads.add(key, file, name, url);
    return true;
  }

  /** A file of mine is not wanted any more; nobody need tell me that it failed. */
  cancel({ key, id, url }) {
    if (id) this.transfers.drop(id);
    this.uploads.cancel(key, url);
  }

  /** What runs or rests, as `hello` gives it; and the server is there again. */
  meet(transfers) {
    this.transfers.meet(transfers);
    this.unfinished.meet(transfers.map(({ id }) => id));
    this.uploads.revive();
  }

  tell(transfer) {
    const own = this.uploads.claim(transfer, this.#room.you.value?.id);
    // My own failure is told by my own card, which has the Retry button; done for a reason is done without an entry.
    if ((own && transfer.state === "failed") || (transfer.state === "done" && transfer.reason)) this.transfers.drop(transfer.id);
    else this.transfers.tell(transfer);
  }

  /** The file of a transfer, and maybe of mine, is an entry now. */
  arrived({ key, file }) {
    this.transfers.drop(file.id);
    const upload = this.uploads.list.value.find((candidate) => candidate.key === key || candidate.id === file.id);
    if (!upload) return;
    this.#room.mine.remember(key);
    this.uploads.settle(upload.key);
  }

  #carry(file, { key, name, url }, told) {
    const { me, path } = this.#room;
    const what = { file, name, key, url, author: me, ...told };
    if (file.size > PUT_MAX_BYTES) return this.#platform.send({ path: `${path}/uploads`, ...what });
    const put = this.#platform.put({ path: uploadPath(this.#room.name, name), ...what });
    put.done.then((entry) => this.#stored(key, entry), () => {});
    return put;
  }

  /** The answer to an upload may come before its entry or after it; whichever is last clears the card. */
  #stored(key, entry) {
    this.#room.mine.remember(entry.key);
    if (entry.seq <= this.#room.log.position) this.uploads.settle(key);
  }
}
