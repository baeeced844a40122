// A browser made of nothing, for the models: sockets, timers and frames that a test moves by hand.

import { Company } from "../../static/models/company.js";
import { Room } from "../../static/models/room.js";

export class Socket {
  sent = [];
  constructor(url) {
    this.url = new URL(url, "ws://room.lan");
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.onclose?.({});
  }
  hear(...objects) {
    this.onmessage({ data: objects.map((object) => JSON.stringify(object)).join("\n") });
  }
}

/** A platform whose `sockets`, `timers`, `puts`, `sends` and answers to `get` the test holds; frames are drawn at once. */
export function stage({ answers = {} } = {}) {
  const held = { sockets: [], timers: new Map(), puts: [], sends: [], dropped: [], asked: [], now: 1_000_000 };
  let timer = 0;
  held.platform = {
    open(url) {
      held.sockets.push(new Socket(url));
      return held.sockets.at(-1);
    },
    later(ms, call) {
      held.timers.set(++timer, { ms, call });
      return timer;
    },
    forget: (number) => held.timers.delete(number),
    frame: (call) => held.frames.push(call),
    now: () => held.now,
    random: () => 0.5,
    async get(path) {
      held.asked.push(path);
      return answers[path]?.() ?? { entries: [] };
    },
    put: (request) => carry(held.puts, request),
    send: (request) => carry(held.sends, request),
    drop: (url, author) => held.dropped.push([url, author.client]),
  };
  held.frames = [];
  held.draw = () => held.frames.splice(0).forEach((call) => call());
  held.ring = () => {
    const calls = [...held.timers.values()];
    held.timers.clear();
    calls.forEach(({ call }) => call());
  };
  return held;
}

function carry(list, request) {
  const run = { request };
  run.done = new Promise((resolve, reject) => Object.assign(run, { resolve, reject }));
  run.abort = () => run.reject({ code: "cancelled" });
  list.push(run);
  return run;
}

/** A place that remembers. */
export function memory(value = null) {
  return {
    value,
    read() {
      return this.value;
    },
    write(next) {
      this.value = next;
    },
  };
}

export const peer = (id, via = "web") => ({ id, name: id, via, addr: "10.0.0.1:1" });
export const text = (seq, key = `k${seq}`, from = peer("bob")) => ({ type: "text", seq, at: seq, room: "lobby", key, from, text: `t${seq}` });
export const file = (seq, id, key = `k${seq}`) => ({ type: "file", seq, at: seq, room: "lobby", key, from: peer("bob"), file: { id, name: "a", size: 1 } });
export const withdrawal = (seq, withdraws, from = peer("bob")) => ({ type: "withdraw", seq, at: seq, room: "lobby", key: `w${seq}`, from, withdraws });
export const rule = (seq, rule, from = peer("alice")) => ({ type: "rule", seq, at: seq, room: "lobby", key: `r${seq}`, from, rule });
export const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => text(from + index));
/** Promise callbacks have run. */
export const settled = () => new Promise((done) => setImmediate(done));

/**
 * A room on a stage, entered but not yet greeted; `hear(...)` is a frame from the server. With `late` its company comes
 * only when `accompany()` is called.
 */
export function enter({ entries = [], lastSeq = 0, epoch = "e1", answers, seen = null, unfinished = null, late = false } = {}) {
  const held = stage({ answers });
  let key = 0;
  const page = { name: "lobby", epoch, lastSeq, count: 1, entries };
  const shelves = { outbox: memory(), mine: memory(), seen: memory(seen), unfinished: memory(unfinished) };
  const newKey = () => `mine${++key}`;
  held.refusals = [];
  const refused = (refusal) => held.refusals.push(refusal);
  held.room = new Room({
    page,
    me: { name: "me", client: "secret" },
    platform: held.platform,
    shelves,
    newKey,
    refused,
  });
  held.accompany = () => {
    held.company = new Company(held.room, { page, platform: held.platform, shelves, newKey, refused });
    held.room.welcome(held.company);
  };
  if (!late) held.accompany();
  held.room.connection.open();
  held.hear = (...objects) => {
    held.sockets.at(-1).hear(...objects);
    held.draw();
  };
  return held;
}

export const hello = (more = {}) => ({ type: "hello", room: "lobby", epoch: "e1", last_seq: 0, client: "secret", you: peer("p1"), peers: [peer("p1")], count: 1, transfers: [], ...more });
