// One room as this page knows it: what comes over the socket goes to its place, what we do goes out and is kept.
//
// Frames are gathered and applied once per animation frame, so a burst of three thousand entries draws a few times
// and not three thousand times.

import { batch, computed, signal } from "../vendor/signals-core.js";
import { uploadPath } from "../helpers/files.js";
import { objectsIn } from "../helpers/frames.js";
import { rowsOf } from "../helpers/rows.js";
import { Connection } from "./connection.js";
import { Mine } from "./mine.js";
import { Outbox } from "./outbox.js";
import { Peers } from "./peers.js";
import { RoomLog } from "./log.js";
import { Transfers } from "./transfers.js";
import { Typing } from "./typing.js";
import { Uploads } from "./uploads.js";

export const PAGE_ENTRIES = 50;

export class Room {
  you = signal(null); // the peer that we are, once `hello` has said so
  arrivals = signal(0); // entries by others since the page opened: the counters of "new" start from here
  #platform;
  #newKey;
  #refused;
  #waiting = []; // objects heard since the last animation frame

  /**
   * `page` is what the server wrote into the page: {name, epoch, lastSeq, count, entries}. `me` is {name, client}.
   * `platform` is the browser behind the models; `shelves` has `outbox` and `mine`; `refused({code, message})` hears
   * errors that belong to nothing we said.
   */
  constructor({ page, me, platform, shelves, newKey, refused }) {
    this.name = page.name;
    this.me = me;
    this.#platform = platform;
    this.#newKey = newKey;
    this.#refused = refused;

    this.log = new RoomLog(page.epoch, page.entries.length ? 0 : page.lastSeq);
    this.log.seed(page.entries, PAGE_ENTRIES);
    this.peers = new Peers(page.count);
    this.transfers = new Transfers();
    this.typing = new Typing(platform);
    this.mine = new Mine(shelves.mine);
    this.outbox = new Outbox(shelves.outbox);
    this.uploads = new Uploads((file, name, key, progress) => this.#put(file, name, key, progress));
    this.connection = new Connection(platform, () => this.#address(), (frame) => this.#hear(frame));

    this.rows = computed(() => {
      const drafts = this.log.detached.value ? [] : this.outbox.drafts.value;
      return rowsOf(this.log.items.value, drafts, (entry) => this.mine.has(entry));
    });
  }

  say(text) {
    const key = this.#newKey();
    this.mine.remember(key);
    const draft = this.outbox.say(key, text, this.#platform.now());
    this.typing.said();
    this.#send(draft);
    if (this.log.detached.value) this.follow();
  }

  retry(key) {
    this.#send(this.outbox.retry(key));
  }

  /** Take an entry of mine back. It goes when the log says so, and for everybody. */
  withdraw({ seq }) {
    const asked = this.connection.send({ type: "withdraw", key: this.#newKey(), seq });
    if (!asked) this.#refused({ code: "unreachable", message: "" });
  }

  rename(name) {
    this.me = { ...this.me, name };
    this.connection.send({ type: "name", name });
  }

  amTyping() {
    if (this.connection.state.value === "open" && this.typing.mayTell(this.#platform.now())) {
      this.connection.send({ type: "typing" });
    }
  }

  upload(file, name) {
    const key = this.#newKey();
    this.mine.remember(key);
    this.uploads.add(key, file, name);
  }

  /** Fifty entries more at the top. */
  async showOlder() {
    const oldest = this.log.items.value.find((item) => item.type !== "gap");
    if (!oldest) return;
    this.log.older(await this.#entriesBefore(oldest.seq), PAGE_ENTRIES);
  }

  /** Back to the newest entries after reading far back. */
  async follow() {
    let entries;
    do entries = await this.#entriesBefore(this.log.position + 1);
    while (entries.length && entries.at(-1).seq < this.log.position); // more came while we asked
    this.log.follow(entries);
  }

  async #entriesBefore(seq) {
    const { entries } = await this.#platform.get(`${this.#path()}/entries?before=${seq}&limit=${PAGE_ENTRIES}`);
    return entries;
  }

  #path() {
    return `/r/${encodeURIComponent(this.name)}`;
  }

  #address() {
    const { name, client } = this.me;
    const query = new URLSearchParams({ name, client, after: this.log.position });
    if (this.log.epoch) query.set("epoch", this.log.epoch);
    return `${this.#path()}/ws?${query}`;
  }

  #send({ key, text }) {
    this.connection.send({ type: "say", key, text });
  }

  #put(file, name, key, progress) {
    const put = this.#platform.put({ path: uploadPath(this.name, name), file, key, author: this.me, progress });
    put.done.then((entry) => this.#stored(key, entry), () => {});
    return put;
  }

  /** The answer to an upload may come before its entry or after it; whichever is last clears the card. */
  #stored(key, entry) {
    this.mine.remember(entry.key);
    if (entry.seq <= this.log.position) this.uploads.settle(key);
  }

  #hear(frame) {
    if (!this.#waiting.length) this.#platform.frame(() => this.#apply());
    this.#waiting.push(...objectsIn(frame));
  }

  #apply() {
    const objects = this.#waiting;
    this.#waiting = [];
    batch(() => {
      let entries = [];
      for (const object of objects) {
        if ("seq" in object) {
          entries.push(object);
          continue;
        }
        this.#take(entries);
        entries = [];
        this.#obey(object);
      }
      this.#take(entries);
    });
  }

  /** Keys first, then numbers: the answer to a repeated key may bear a number that we have. */
  #take(entries) {
    if (!entries.length) return;
    for (const entry of entries) {
      const said = this.outbox.settle(entry.key);
      if (!said && entry.from) this.typing.stopped(entry.from.id);
      if (entry.type === "file") this.#fileArrived(entry);
      if (entry.type === "withdraw") this.#withdrawn(entry);
    }
    const fresh = this.log.take(entries);
    const others = fresh.filter((entry) => entry.type !== "withdraw" && !this.mine.has(entry)).length;
    if (others) this.arrivals.value += others;
  }

  #fileArrived(entry) {
    this.transfers.drop(entry.file.id);
    const upload = this.uploads.list.value.find(({ key, id }) => key === entry.key || id === entry.file.id);
    if (!upload) return;
    this.mine.remember(entry.key);
    this.uploads.settle(upload.key);
  }

  /** Another tab of mine may have withdrawn what this one still waits to see: saying it again gets the answer. */
  #withdrawn({ from }) {
    if (from?.id === this.you.value?.id) for (const draft of this.outbox.waiting()) this.#send(draft);
  }

  #obey(signal) {
    switch (signal.type) {
      case "hello":
        return this.#greeted(signal);
      case "gap":
        return this.log.gap(signal);
      case "presence":
        return this.#presence(signal);
      case "transfer":
        return this.#transfer(signal);
      case "typing":
        return signal.from && signal.from.id !== this.you.value?.id && this.typing.heard(signal.from);
      case "error":
        return this.#error(signal);
      default:
        return undefined; // a later server may know more than we do
    }
  }

  #greeted(hello) {
    if (this.log.epoch && this.log.epoch !== hello.epoch) this.log.gap({ from: null, to: null });
    this.log.epoch = hello.epoch;
    this.you.value = hello.you;
    this.peers.meet(hello.peers, hello.count);
    this.transfers.meet(hello.transfers);
    this.connection.seated();
    for (const draft of this.outbox.waiting()) this.#send(draft);
  }

  #presence(change) {
    this.peers.change(change);
    const me = [...(change.renamed ?? []), ...(change.joined ?? [])].find((peer) => peer.id === this.you.value?.id);
    if (me) this.you.value = me;
    for (const id of change.left ?? []) this.typing.stopped(id);
  }

  #transfer(transfer) {
    const own = this.uploads.claim(transfer, this.you.value?.id);
    // My own failure is told by my own card, which has the Retry button; done for a reason is done without an entry.
    if ((own && transfer.state === "failed") || (transfer.state === "done" && transfer.reason)) this.transfers.drop(transfer.id);
    else this.transfers.tell(transfer);
  }

  #error({ code, message, key }) {
    if (key && code === "not_found" && this.outbox.settle(key)) return; // it was said, and is withdrawn
    if (key && this.outbox.fail(key, code, message)) return;
    if (code === "bad_name" && this.you.value) this.me = { ...this.me, name: this.you.value.name };
    this.#refused({ code, message });
  }
}
