// The words of one room as this page knows them: what comes over the socket goes to its place, what we say goes out and is kept.
//
// Frames are gathered and applied once per animation frame, so a burst of three thousand entries draws a few times
// and not three thousand times. What is not words (who is here, what is on its way) is for models/company.js, which may
// come later: it hears all that was told from the beginning.

import { batch, computed, signal } from "../vendor/signals-core.js";
import { objectsIn } from "../helpers/frames.js";
import { rowsOf } from "../helpers/rows.js";
import { Connection } from "./connection.js";
import { Mine } from "./mine.js";
import { Outbox } from "./outbox.js";
import { Reading } from "./reading.js";
import { PAGE_ENTRIES, RoomLog } from "./log.js";
import { Rules } from "./rules.js";

const SAID_AT_ONCE = 20; // of what was kept: as many as one address may say in a second, and then they stay in order
const SAID_EVERY_MS = 1000;

export class Room {
  you = signal(null); // the peer that we are, once `hello` has said so
  arrivals = signal(0); // entries by others since the page opened: the counters of "new" start from here
  atEnd = signal(0); // how often the reader wished to be there
  looking = signal(true); // somebody looks at the end of the log
  company = signal(null);
  #platform;
  #newKey;
  #refused;
  #waiting = []; // objects heard since the last animation frame
  #told = []; // what the company has yet to hear
  #saying = null; // the timer of what is kept and not yet said
  #missedUpTo = 0; // entries up to this number were said while we were cut off

  /**
   * `page` is what the server wrote into the page: {name, epoch, lastSeq, entries}. `me` is {name, client}. `platform` is
   * the browser behind the models; `shelves` has `outbox`, `mine` and `seen`; `refused({code, message})` hears errors
   * that belong to nothing we said.
   */
  constructor({ page, me, platform, shelves, newKey, refused }) {
    this.name = page.name;
    this.me = me;
    this.#platform = platform;
    this.#newKey = newKey;
    this.#refused = refused;

    this.log = new RoomLog(page.epoch, page.entries.length ? 0 : page.lastSeq);
    this.log.seed(page.entries, PAGE_ENTRIES);
    this.rules = new Rules(this.you);
    this.mine = new Mine(shelves.mine);
    this.outbox = new Outbox(shelves.outbox);
    this.reading = new Reading(shelves.seen, page.epoch);
    this.reading.open(page.entries.filter((entry) => !this.mine.has(entry)));
    this.connection = new Connection(platform, () => this.#address(), (frame) => this.#hear(frame));

    this.rows = computed(() => this.company.value?.rows() ?? this.words());
  }

  /** Here is the rest of what a room knows. It hears what was told so far, and from now on everything. */
  welcome(company) {
    batch(() => {
      for (const told of this.#told.splice(0)) company.hear(...told);
      this.company.value = company;
    });
  }

  get peers() {
    return this.company.value.peers;
  }

  get typing() {
    return this.company.value.typing;
  }

  get history() {
    return this.company.value.history;
  }

  get search() {
    return this.company.value.search;
  }

  get files() {
    return this.company.value.files;
  }

  get sending() {
    return this.company.value.sending;
  }

  /** The rows of what was said, by whomever. */
  words() {
    const drafts = this.log.detached.value ? [] : this.outbox.drafts.value;
    return rowsOf(this.log.items.value, drafts, (entry) => this.mine.has(entry));
  }

  say(text) {
    const key = this.#newKey();
    this.mine.remember(key);
    const draft = this.outbox.say(key, text, this.#platform.now());
    this.#send(draft);
    this.reading.clear();
    this.company.peek()?.said();
  }

  amTyping() {
    this.company.peek()?.amTyping();
  }

  /** Somebody began or ceased to look at the end of the log. */
  look(looking) {
    this.looking.value = looking;
    if (looking) this.reading.looked(this.log.epoch, this.log.position);
  }

  retry(key) {
    this.#send(this.outbox.retry(key));
  }

  rename(name) {
    this.me = { ...this.me, name };
    this.connection.send({ type: "name", name });
  }

  get path() {
    return `/r/${encodeURIComponent(this.name)}`;
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
    for (const { type, key, from, rule } of entries) {
      this.outbox.settle(key);
      // Another tab of mine may have withdrawn what this one still waits to see: saying it again gets the answer.
      if (type === "withdraw" && from?.id === this.you.value?.id) this.#sayKept();
      if (type === "rule") this.rules.obey(rule);
    }
    this.#tell(entries);
    const fresh = this.log.take(entries);
    const others = fresh.filter((entry) => !["withdraw", "rule"].includes(entry.type) && !this.mine.has(entry));
    if (others.length) this.#arrived(others);
  }

  #arrived(others) {
    this.arrivals.value += others.length;
    const missed = others.filter((entry) => entry.seq <= this.#missedUpTo);
    this.reading.heard(missed, this.looking.value, true);
    this.reading.heard(others.slice(missed.length), this.looking.value);
    if (this.looking.value) this.reading.looked(this.log.epoch, this.log.position);
  }

  #obey(signal) {
    switch (signal.type) {
      case "hello":
        this.#greeted(signal);
        break;
      case "gap":
        this.#gap(signal);
        break;
      case "presence":
        this.#presence(signal);
        break;
      case "error":
        this.#error(signal);
        break;
      default: // for the company, or of a later server that knows more than we do
    }
    this.#tell(signal);
  }

  /** Entries, or one signal, with when it was heard and after which entry. */
  #tell(what) {
    const told = [what, { now: this.#platform.now(), after: this.log.position }];
    const company = this.company.peek();
    if (company) company.hear(...told);
    else this.#told.push(told);
  }

  #greeted(hello) {
    if (this.log.epoch && this.log.epoch !== hello.epoch) this.#obey({ type: "gap", from: null, to: null });
    if (this.you.value) this.#missedUpTo = hello.last_seq; // we have been here before
    this.log.epoch = hello.epoch;
    this.you.value = hello.you;
    this.rules.meet(hello);
    this.connection.seated();
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
    if (gap.from == null) this.reading.forget();
  }

  #presence({ renamed = [], joined = [] }) {
    const me = [...renamed, ...joined].find((peer) => peer.id === this.you.value?.id);
    if (me) this.you.value = me;
  }

  #error({ code, message, key }) {
    if (key && code === "not_found" && this.outbox.settle(key)) return; // it was said, and is withdrawn
    if (code === "rate_limited" && this.outbox.waits(key)) return this.#sayKeptSoon(); // a whole class may share an address
    if (key && this.outbox.fail(key, code, message)) return;
    if (code === "bad_name" && this.you.value) this.me = { ...this.me, name: this.you.value.name };
    this.#refused({ code, message });
  }
}
