// All that a room knows besides its words: who is here and who writes, what was missed, what is on its way, what can be found.
//
// It may come after the room has begun to listen, and is told then what was heard, each thing with its moment.

import { effect, signal } from "../vendor/signals-core.js";
import { mentions } from "../helpers/mentions.js";
import { rowsOf } from "../helpers/rows.js";
import { weave } from "../helpers/weave.js";
import { Comings } from "./comings.js";
import { RoomFiles } from "./files.js";
import { History } from "./history.js";
import { Knocks } from "./knocks.js";
import { Peers } from "./peers.js";
import { Search } from "./search.js";
import { Sending } from "./sending.js";
import { Typing } from "./typing.js";

export class Company {
  comings = new Comings();
  mentioned = signal(0); // entries by others since the page opened that have my name in them
  only = signal(null); // what one peer sent, while that alone is shown
  #room;
  #platform;
  #newKey;
  #refused;

  /** As for the room; `page` has `count` too, `platform` also `put`, `send` and `drop`; `shelves` has `unfinished`. */
  constructor(room, { page, platform, shelves, newKey, refused }) {
    this.#room = room;
    this.#platform = platform;
    this.#newKey = newKey;
    this.#refused = refused;
    this.peers = new Peers(page.count);
    this.peers.heard(page.entries.map(({ from, at }) => [from.id, at]));
    this.typing = new Typing(platform);
    this.knocks = new Knocks((object) => this.#send(object));
    this.sending = new Sending(room, { platform, shelf: shelves.unfinished, newKey });
    this.history = new History(room.log, (query) => this.ask(query));
    this.search = new Search(platform, room.path);
    this.files = new RoomFiles(platform, room.path);
    // Who wishes to see an entry wants to see what stands around it, and not the end.
    effect(() => {
      if (this.history.target.value) this.only.value = null;
    });
  }

  /** Entries or one signal, which the room heard at `now`, when its log stood `after` that number. */
  hear(what, { now, after }) {
    if (Array.isArray(what)) this.#take(what, now, after);
    else this.#obey(what, now, after);
  }

  /** What is on the screen: the room's words with what stands between them, or one peer's alone. */
  rows() {
    const { mine, reading } = this.#room;
    if (this.only.value) return rowsOf(this.only.value.log.items.value, [], (entry) => mine.has(entry));
    return weave(this.#room.words(), reading.marker.value, this.comings.list.value);
  }

  /** The log that is on the screen and the way through it: {log, history}. */
  get shown() {
    return this.only.value ?? { log: this.#room.log, history: this.history };
  }

  /** Show what this peer sent, and nothing else, until `showAll`. */
  async showOnly(peer) {
    let only = null;
    try {
      const { Only } = await import("./only.js");
      only = new Only(peer, this.#room.log, (query) => this.ask(query));
      this.only.value = only;
      this.#room.atEnd.value += 1;
      await only.open();
    } catch {
      if (this.only.peek() === only) this.showAll();
      this.#refused({ code: "unreachable", message: "" });
    }
  }

  showAll() {
    if (!this.only.peek()) return;
    this.only.value = null;
    this.#room.atEnd.value = this.#room.atEnd.peek() + 1;
    if (this.#room.log.detached.peek()) this.history.latest().catch(() => {}); // out of reach: the button asks again
  }

  /** Whether an entry of somebody else has my name in it. */
  namesMe(entry) {
    return !this.#room.mine.has(entry) && mentions(entry.text, this.#room.you.value?.name ?? this.#room.me.name);
  }

  /** Our words are out. */
  said() {
    this.typing.said();
    this.showAll();
    if (this.#room.log.detached.value) this.history.latest();
  }

  amTyping() {
    const { connection } = this.#room;
    if (connection.state.value === "open" && this.typing.mayTell(this.#platform.now())) connection.send({ type: "typing" });
  }

  /** To the end of the log, and what was new there is not new any more. */
  async toEnd() {
    const { log, history } = this.shown;
    if (!this.only.value) this.#room.reading.clear();
    if (log.detached.value) await history.latest();
    this.#room.atEnd.value += 1;
  }

  /** What a host wishes for the room, one thing; it holds when the log says so. */
  rule(wish) {
    this.#send({ type: "rule", key: this.#newKey(), rule: wish });
  }

  /** Take an entry back, mine or as a host another's. It goes when the log says so, and for everybody. */
  withdraw({ seq }) {
    this.#send({ type: "withdraw", key: this.#newKey(), seq });
  }

  /** Entries of this room by `before=`, `after=` and `limit=`. */
  async ask(query) {
    const { entries } = await this.#platform.get(`${this.#room.path}/entries?${query}`);
    return entries;
  }

  get #myId() {
    return this.#room.you.value?.id;
  }

  #send(object) {
    if (!this.#room.connection.send(object)) this.#refused({ code: "unreachable", message: "" });
  }

  #take(entries, now, after) {
    for (const entry of entries) {
      if (entry.from) this.typing.stopped(entry.from.id);
      if (entry.type === "file") {
        this.sending.arrived(entry);
        this.files.add(entry);
      }
      if (entry.type === "withdraw") {
        this.files.drop(entry.withdraws);
        this.search.drop(entry.withdraws);
      }
    }
    const fresh = entries.filter(({ seq }) => seq > after);
    this.mentioned.value += fresh.filter((entry) => this.namesMe(entry)).length;
    this.only.value?.take(fresh);
    this.peers.heard(entries.filter(({ from }) => from).map(({ from }) => [from.id, now]));
  }

  #obey(signal, now, after) {
    switch (signal.type) {
      case "hello":
        this.peers.meet(signal.peers, signal.count);
        this.knocks.meet();
        return this.sending.meet(signal.transfers);
      case "gap":
        return signal.from == null && this.#forget();
      case "presence":
        return this.#presence(signal, now, after);
      case "transfer":
        return this.sending.tell(signal);
      case "knock":
        return this.knocks.heard(signal);
      case "typing":
        return signal.from && signal.from.id !== this.#myId && this.typing.heard(signal.from);
      default:
        return undefined;
    }
  }

  /** Another log. */
  #forget() {
    this.showAll();
    this.comings.clear();
    this.files.clear();
  }

  #presence(change, now, after) {
    const { joined = [], left = [] } = change;
    const nameOf = ({ name }) => name;
    const away = left.map((id) => this.peers.find(id)).filter(Boolean);
    const here = joined.filter(({ id }) => id !== this.#myId && !this.peers.find(id));
    this.comings.note({ joined: here.map(nameOf), left: away.map(nameOf) }, after, now);
    this.peers.farewell(away, here, now);
    this.peers.change(change);
    for (const id of left) this.typing.stopped(id);
  }
}
