// All that a room knows besides its words: who is here and who writes, what was missed, what is on its way, what can be found.
//
// It may come after the room has begun to listen, and is told then what was heard, each thing with its moment.

import { signal } from "../vendor/signals-core.js";
import { mentions } from "../helpers/mentions.js";
import { weave } from "../helpers/weave.js";
import { Comings } from "./comings.js";
import { RoomFiles } from "./files.js";
import { History } from "./history.js";
import { Peers } from "./peers.js";
import { Search } from "./search.js";
import { Sending } from "./sending.js";
import { Typing } from "./typing.js";

export class Company {
  comings = new Comings();
  mentioned = signal(0); // entries by others since the page opened that have my name in them
  #room;
  #platform;

  /** As for the room; `page` has `count` too, `platform` also `put`, `send` and `drop`, and `shelves` has `unfinished`. */
  constructor(room, { page, platform, shelves, newKey }) {
    this.#room = room;
    this.#platform = platform;
    this.peers = new Peers(page.count);
    this.peers.heard(page.entries.map(({ from, at }) => [from.id, at]));
    this.typing = new Typing(platform);
    this.sending = new Sending(room, { platform, shelf: shelves.unfinished, newKey });
    this.history = new History(room.log, (query) => this.ask(query));
    this.search = new Search(platform, room.path);
    this.files = new RoomFiles(platform, room.path);
  }

  /** Entries or one signal, which the room heard at `now`, when its log stood `after` that number. */
  hear(what, { now, after }) {
    if (Array.isArray(what)) this.#take(what, now, after);
    else this.#obey(what, now, after);
  }

  /** The room's rows with what stands between them. */
  weave(rows) {
    return weave(rows, this.#room.reading.marker.value, this.comings.list.value);
  }

  /** Whether an entry of somebody else has my name in it. */
  namesMe(entry) {
    return !this.#room.mine.has(entry) && mentions(entry.text, this.#room.you.value?.name ?? this.#room.me.name);
  }

  /** Our words are out. */
  said() {
    this.typing.said();
    if (this.#room.log.detached.value) this.history.latest();
  }

  amTyping() {
    const { connection } = this.#room;
    if (connection.state.value === "open" && this.typing.mayTell(this.#platform.now())) connection.send({ type: "typing" });
  }

  /** To the end of the log, and what was new there is not new any more. */
  async toEnd() {
    const { atEnd, log, reading } = this.#room;
    reading.clear();
    if (log.detached.value) await this.history.latest();
    atEnd.value += 1;
  }

  /** Entries of this room by `before=`, `after=` and `limit=`. */
  async ask(query) {
    const { entries } = await this.#platform.get(`${this.#room.path}/entries?${query}`);
    return entries;
  }

  get #myId() {
    return this.#room.you.value?.id;
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
    this.mentioned.value += entries.filter((entry) => entry.seq > after && this.namesMe(entry)).length;
    this.peers.heard(entries.filter(({ from }) => from).map(({ from }) => [from.id, now]));
  }

  #obey(signal, now, after) {
    switch (signal.type) {
      case "hello":
        this.peers.meet(signal.peers, signal.count);
        return this.sending.meet(signal.transfers);
      case "gap":
        return signal.from == null && this.#forget();
      case "presence":
        return this.#presence(signal, now, after);
      case "transfer":
        return this.sending.tell(signal);
      case "typing":
        return signal.from && signal.from.id !== this.#myId && this.typing.heard(signal.from);
      default:
        return undefined;
    }
  }

  /** Another log. */
  #forget() {
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
