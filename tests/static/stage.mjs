// A browser made of nothing, for the models: sockets, timers and frames that a test moves by hand.

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

/** A platform whose `sockets`, `timers`, `puts` and answers to `get` the test holds; frames are drawn at once. */
export function stage({ answers = {} } = {}) {
  const held = { sockets: [], timers: new Map(), puts: [], asked: [], now: 1_000_000 };
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
    put(request) {
      const put = { request };
      put.done = new Promise((resolve, reject) => Object.assign(put, { resolve, reject }));
      put.abort = () => put.reject({ code: "cancelled" });
      held.puts.push(put);
      return put;
    },
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
