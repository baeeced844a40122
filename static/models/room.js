// One room as this page knows it: what comes over the socket goes to its place, what we do goes out and is kept.
//
// Frames are gathered and applied once per animation frame, so a burst of three thousand entries draws a few times
// and not three thousand times.

import { batch, computed, effect, signal } from "../vendor/signals-core.js";
import { uploadPath } from "../helpers/files.js";
import { objectsIn } from "../helpers/frames.js";
import { mentions } from "../helpers/mentions.js";
import { rowsOf } from "../helpers/rows.js";
import { weave } from "../helpers/weave.js";
import { Comings } from "./comings.js";
import { Connection } from "./connection.js";
import { RoomFiles } from "./files.js";
import { History, PAGE_ENTRIES } from "./history.js";
import { Mine } from "./mine.js";
import { Outbox } from "./outbox.js";
import { Peers } from "./peers.js";
import { Reading } from "./reading.js";
import { Rules } from "./rules.js";
import { RoomLog } from "./log.js";
import { Search } from "./search.js";
import { Transfers } from "./transfers.js";
import { Typing } from "./typing.js";
import { Unfinished } from "./unfinished.js";
import { Uploads } from "./uploads.js";

const SAID_AT_ONCE = 20; // of what was kept: as many as one address may say in a second, and then they stay in order
const SAID_EVERY_MS = 1000;
const PUT_MAX_BYTES = 2 ** 20; // sent before anybody could press "pause"; what is larger may stop and go on

export class Room {
  you = signal(null); // the peer that we are, once `hello` has said so
  arrivals = signal(0); // entries by others since the page opened: the counters of "new" start from here
  mentioned = signal(0); // those of them that have my name in them
  atEnd = signal(0); // how often the reader wished to be there
  looking = signal(true); // somebody looks at the end of the log
  only = signal(null); // what one peer sent, while that alone is shown
  #platform;
  #newKey;
  #refused;
  #waiting = []; // objects heard since the last animation frame
  #saying = null; // the timer of what is kept and not yet said
  #missedUpTo = 0; // entries up to this number were said while we were cut off

  /**
   * `page` is what the server wrote into the page: {name, epoch, lastSeq, count, entries}. `me` is {name, client}.
   * `platform` is the browser behind the models; `shelves` has `outbox`, `mine`, `seen` and `unfinished`; `refused({code,
   * message})` hears errors that belong to nothing we said.
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
    this.rules = new Rules(this.you);
    this.transfers = new Transfers();
    this.typing = new Typing(platform);
    this.mine = new Mine(shelves.mine);
    this.outbox = new Outbox(shelves.outbox);
    this.unfinished = new Unfinished(shelves.unfinished);
    const carrier = { send: (...what) => this.#carry(...what), drop: (url) => platform.drop(url, this.me) };
    this.uploads = new Uploads(platform, carrier, this.unfinished);
    this.history = new History(this.log, (query) => this.ask(query));
    this.search = new Search(platform, this.path);
    this.files = new RoomFiles(platform, this.path);
    this.comings = new Comings();
    this.reading = new Reading(shelves.seen, page.epoch);
    this.reading.open(page.entries.filter((entry) => !this.mine.has(entry)));
    this.peers.heard(page.entries.map(({ from, at }) => [from.id, at]));
    this.connection = new Connection(platform, () => this.#address(), (frame) => this.#hear(frame));

    // Begun by an earlier page, and nobody is sending: they wait for their file.
    this.halfway = computed(() => {
      const here = new Set(this.uploads.list.value.map(({ key }) => key));
      const resting = new Set(this.transfers.list.value.filter(({ state }) => state === "paused").map(({ id }) => id));
      return this.unfinished.list.value.filter(({ key, id }) => resting.has(id) && !here.has(key));
    });
    this.rows = computed(() => {
      if (this.only.value) return rowsOf(this.only.value.log.items.value, [], (entry) => this.mine.has(entry));
      const drafts = this.log.detached.value ? [] : this.outbox.drafts.value;
      const rows = rowsOf(this.log.items.value, drafts, (entry) => this.mine.has(entry));
      return weave(rows, this.reading.marker.value, this.comings.list.value);
    });
    // Who wishes to see an entry wants to see what stands around it.
    effect(() => void (this.history.target.value && this.showAll()));
  }

  /** The log that is on the screen and the way through it: {log, history}. */
  get shown() {
    return this.only.value ?? this;
  }

  /** Show what this peer sent, and nothing else, until `showAll`. */
  async showOnly(peer) {
    try {
      const { Only } = await import("./only.js");
      const only = new Only(peer, this.log, (query) => this.ask(query));
      this.only.value = only;
      this.atEnd.value += 1;
      await only.open();
    } catch {
      this.showAll();
      this.#refused({ code: "unreachable", message: "" });
    }
  }

  showAll() {
    if (!this.only.peek()) return;
    this.only.value = null;
    this.atEnd.value = this.atEnd.peek() + 1;
  }

  say(text) {
    const key = this.#newKey();
    this.mine.remember(key);
    const draft = this.outbox.say(key, text, this.#platform.now());
    this.typing.said();
    this.#send(draft);
    this.showAll();
    this.reading.clear();
    if (this.log.detached.value) this.history.latest();
  }

  /** To the end of the log, and what was new there is not new any more. */
  async toEnd() {
    const { log, history } = this.shown;
    if (log === this.log) this.reading.clear();
    if (log.detached.value) await history.latest();
    this.atEnd.value += 1;
  }

  /** Whether an entry of somebody else has my name in it. */
  namesMe(entry) {
    return !this.mine.has(entry) && mentions(entry.text, this.you.value?.name ?? this.me.name);
  }

  /** Somebody began or ceased to look at the end of the log. */
  look(looking) {
    this.looking.value = looking;
    if (looking) this.reading.looked(this.log.epoch, this.log.position);
  }

  retry(key) {
    this.#send(this.outbox.retry(key));
  }

  /** What a host wishes for the room, one thing; it holds when the log says so. */
  rule(wish) {
    this.#ask({ type: "rule", key: this.#newKey(), rule: wish });
  }

  /** A stranger's knock is answered; the card goes when the server says so. */
  admit({ id }, always) {
    this.#ask({ type: "admit", id, always });
  }

  turnAway({ id }) {
    this.#ask({ type: "refuse", id });
  }

  /** Take an entry back, mine or as a host another's. It goes when the log says so, and for everybody. */
  withdraw({ seq }) {
    this.#ask({ type: "withdraw", key: this.#newKey(), seq });
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

  /** A file to send; or one that an earlier page began to send, which goes on. */
  upload(file, name) {
    const same = (one) => one.name === name && one.size === file.size && one.modified === file.lastModified;
    const { key = this.#newKey(), url } = this.halfway.value.find(same) ?? {};
    this.mine.remember(key);
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

  /** Entries of this room by `before=`, `after=` and `limit=`. */
  async ask(query) {
    const { entries } = await this.#platform.get(`${this.path}/entries?${query}`);
    return entries;
  }

  get path() {
    return `/r/${encodeURIComponent(this.name)}`;
  }

  #ask(object) {
    if (!this.connection.send(object)) this.#refused({ code: "unreachable", message: "" });
  }

  #address() {
    const { name, client } = this.me;
    const query = new URLSearchParams({ name, client, after: this.log.position });
    if (this.log.epoch) query.set("epoch", this.log.epoch);
    return `${this.path}/ws?${query}`;
  }

  #send({ key, text }) {
    this.connection.send({ type: "say", key, text });
  }

  #carry(file, { key, name, url }, told) {
    const what = { file, name, key, url, author: this.me, ...told };
    if (file.size > PUT_MAX_BYTES) return this.#platform.send({ path: `${this.path}/uploads`, ...what });
    const put = this.#platform.put({ path: uploadPath(this.name, name), ...what });
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
      if (entry.type === "rule") this.rules.obey(entry.rule);
    }
    const now = this.#platform.now();
    this.peers.heard(entries.filter(({ from }) => from).map(({ from }) => [from.id, now]));
    const fresh = this.log.take(entries);
    this.only.value?.take(fresh);
    const others = fresh.filter((entry) => !["withdraw", "rule"].includes(entry.type) && !this.mine.has(entry));
    if (others.length) this.#arrived(others);
  }

  #arrived(others) {
    this.arrivals.value += others.length;
    this.mentioned.value += others.filter((entry) => this.namesMe(entry)).length;
    const missed = others.filter((entry) => entry.seq <= this.#missedUpTo);
    this.reading.heard(missed, this.looking.value, true);
    this.reading.heard(others.slice(missed.length), this.looking.value);
    if (this.looking.value) this.reading.looked(this.log.epoch, this.log.position);
  }

  #fileArrived(entry) {
    this.transfers.drop(entry.file.id);
    this.files.add(entry);
    const upload = this.uploads.list.value.find(({ key, id }) => key === entry.key || id === entry.file.id);
    if (!upload) return;
    this.mine.remember(entry.key);
    this.uploads.settle(upload.key);
  }

  /** Another tab of mine may have withdrawn what this one still waits to see: saying it again gets the answer. */
  #withdrawn({ from, withdraws }) {
    this.files.drop(withdraws);
    this.search.drop(withdraws);
    if (from?.id === this.you.value?.id) this.#sayKept();
  }

  #obey(signal) {
    switch (signal.type) {
      case "hello":
        return this.#greeted(signal);
      case "gap":
        return this.#gap(signal);
      case "presence":
        return this.#presence(signal);
      case "transfer":
        return this.#transfer(signal);
      case "knock":
        return this.rules.knock(signal);
      case "typing":
        return signal.from && signal.from.id !== this.you.value?.id && this.typing.heard(signal.from);
      case "error":
        return this.#error(signal);
      default:
        return undefined; // a later server may know more than we do
    }
  }

  #greeted(hello) {
    if (this.log.epoch && this.log.epoch !== hello.epoch) this.#gap({ from: null, to: null });
    if (this.you.value) this.#missedUpTo = hello.last_seq; // we have been here before
    this.log.epoch = hello.epoch;
    this.you.value = hello.you;
    this.rules.meet(hello);
    this.peers.meet(hello.peers, hello.count);
    this.transfers.meet(hello.transfers);
    this.unfinished.meet(hello.transfers.map(({ id }) => id));
    this.connection.seated();
    this.uploads.revive();
    this.#sayKept();
  }

  /** What the log has not confirmed, the oldest first, and some at a time. */
  #sayKept() {
    const kept = this.outbox.waiting();
    for (const draft of kept.slice(0, SAID_AT_ONCE)) this.#send(draft);
    if (kept.length > SAID_AT_ONCE) this.#sayKeptSoon();
  }

  #sayKeptSoon() {
    this.#saying ??= this.#platform.later(SAID_EVERY_MS, () => {
      this.#saying = null;
      if (this.connection.state.value === "open") this.#sayKept(); // else the next hello does
    });
  }

  /** Both ends null: another log, which begins anew here too. */
  #gap(gap) {
    this.log.gap(gap);
    if (gap.from != null) return;
    this.showAll();
    this.reading.forget();
    this.comings.clear();
    this.files.clear();
  }

  #presence(change) {
    this.#noteComings(change);
    this.peers.change(change);
    const me = [...(change.renamed ?? []), ...(change.joined ?? [])].find((peer) => peer.id === this.you.value?.id);
    if (me) this.you.value = me;
    for (const id of change.left ?? []) this.typing.stopped(id);
  }

  #noteComings({ joined, left }) {
    const nameOf = ({ name }) => name;
    const away = (left ?? []).map((id) => this.peers.find(id)).filter(Boolean);
    const here = (joined ?? []).filter(({ id }) => id !== this.you.value?.id && !this.peers.find(id));
    this.comings.note({ joined: here.map(nameOf), left: away.map(nameOf) }, this.log.position, this.#platform.now());
    this.peers.farewell(away, here, this.#platform.now());
  }

  #transfer(transfer) {
    const own = this.uploads.claim(transfer, this.you.value?.id);
    // My own failure is told by my own card, which has the Retry button; done for a reason is done without an entry.
    if ((own && transfer.state === "failed") || (transfer.state === "done" && transfer.reason)) this.transfers.drop(transfer.id);
    else this.transfers.tell(transfer);
  }

  #error({ code, message, key }) {
    if (key && code === "not_found" && this.outbox.settle(key)) return; // it was said, and is withdrawn
    if (code === "rate_limited" && this.outbox.waits(key)) return this.#sayKeptSoon(); // a whole class may share an address
    if (key && this.outbox.fail(key, code, message)) return;
    if (code === "bad_name" && this.you.value) this.me = { ...this.me, name: this.you.value.name };
    this.#refused({ code, message });
  }
}
