// Facts about the models that keep one thing each: log, outbox, peers, transfers, uploads, connection.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../static/models/connection.js";
import { follow, older } from "../../static/models/history.js";
import { Language } from "../../static/models/language.js";
import { RoomLog, WINDOW_ROWS } from "../../static/models/log.js";
import { Mine } from "../../static/models/mine.js";
import { Notices } from "../../static/models/notices.js";
import { Outbox } from "../../static/models/outbox.js";
import { Peers } from "../../static/models/peers.js";
import { Settings } from "../../static/models/settings.js";
import { Transfers } from "../../static/models/transfers.js";
import { Typing } from "../../static/models/typing.js";
import { Unfinished } from "../../static/models/unfinished.js";
import { Uploads } from "../../static/models/uploads.js";
import { memory, peer, range, settled, stage, text, withdrawal } from "./stage.mjs";

const seqs = (log) => log.items.value.map((item) => item.seq);

test("the log shows each number once, and numbers may skip", () => {
  const log = new RoomLog();
  assert.equal(log.take([text(3), text(7)]).length, 2);
  assert.equal(log.take([text(7), text(4), text(9)]).length, 1);
  assert.deepEqual(seqs(log), [3, 7, 9]);
  assert.equal(log.position, 9);
});

test("the log holds three hundred rows, and what fell out can be fetched again", () => {
  const log = new RoomLog();
  log.seed(range(1, 40), 50);
  assert.equal(log.hasOlder.value, false);
  log.take(range(41, 350));
  assert.equal(log.items.value.length, WINDOW_ROWS);
  assert.equal(seqs(log)[0], 51);
  assert.equal(log.hasOlder.value, true);
});

test("reading far back lets go of the newest, and following takes them up again", () => {
  const log = new RoomLog();
  log.take(range(101, 400));
  older(log, range(51, 100), 50);
  assert.equal(log.detached.value, true);
  assert.deepEqual([seqs(log)[0], seqs(log).at(-1)], [51, 350]);
  log.take([text(401)]);
  assert.equal(log.position, 401, "what is not shown still counts as seen");
  assert.equal(seqs(log).at(-1), 350);
  follow(log, range(352, 401));
  assert.equal(log.detached.value, false);
  assert.equal(seqs(log).at(-1), 401);
});

test("the beginning of the log is reached once", () => {
  const log = new RoomLog();
  log.take(range(60, 70));
  assert.equal(log.hasOlder.value, true);
  older(log, range(5, 20), 50);
  assert.equal(log.hasOlder.value, false, "16 of 50 came: numbers began at 5");
});

test("a gap leaves a marker; another epoch starts again", () => {
  const log = new RoomLog("e1");
  log.take([text(1)]);
  log.gap({ from: 2, to: 80 });
  assert.deepEqual(log.items.value.at(-1), { type: "gap", from: 2, to: 80, seq: 80 });
  assert.equal(log.position, 80);
  log.gap({ from: null, to: null });
  assert.deepEqual([log.items.value, log.position], [[], 0]);
});

test("what is withdrawn leaves the window, and a page that was on its way does not bring it back", () => {
  const log = new RoomLog();
  log.take(range(101, 400));
  log.take([withdrawal(401, 399), withdrawal(402, 90)]);
  assert.deepEqual(seqs(log).slice(-4), [398, 400, 401, 402]);
  older(log, range(51, 100), 50);
  assert.equal(seqs(log).includes(90), false, "the page was made before it was withdrawn");
  assert.equal(log.detached.value, true);
  log.take([withdrawal(403, 60)]);
  assert.equal(seqs(log).includes(60), false, "also while reading far back");
  assert.equal(log.position, 403);
  follow(log, range(354, 403));
  assert.equal(seqs(log).includes(399), false);
  log.gap({ from: null, to: null });
  log.take(range(1, 399));
  assert.equal(seqs(log).includes(399), true, "in another log it is another entry");
});

test("the first entry of a log may be withdrawn, and nothing is before it all the same", () => {
  const log = new RoomLog();
  log.seed(range(1, 5), 50);
  log.take([withdrawal(6, 1), withdrawal(7, 99)]);
  assert.deepEqual(seqs(log), [2, 3, 4, 5, 6, 7]);
  assert.equal(log.hasOlder.value, false);
});

test("a gap that ends at a number that was withdrawn stays to be seen", () => {
  const log = new RoomLog();
  log.take([text(1), withdrawal(3, 2)]);
  older(log, [], 50);
  log.gap({ from: 4, to: 9 });
  log.take([withdrawal(12, 9)]);
  assert.deepEqual(log.items.value.map(({ type }) => type), ["text", "withdraw", "gap", "withdraw"]);
});

test("words stay in the outbox until their key comes back, also over a reload", () => {
  const shelf = memory();
  const outbox = new Outbox(shelf);
  outbox.say("k1", "one", 1);
  outbox.say("k2", "two", 2);
  assert.equal(outbox.settle("k1"), true);
  assert.equal(outbox.settle("k1"), false);
  assert.deepEqual(new Outbox(shelf).waiting().map((draft) => draft.text), ["two"]);
});

test("a refused draft keeps its words, can go again, or be taken back", () => {
  const outbox = new Outbox(memory());
  outbox.say("k1", "one", 1);
  assert.equal(outbox.fail("k1", "too_long", "…"), true);
  assert.equal(outbox.fail("k9", "too_long", "…"), false);
  assert.deepEqual(outbox.waiting(), []);
  assert.equal(outbox.retry("k1").text, "one");
  assert.equal(outbox.waiting().length, 1);
  assert.equal(outbox.discard("k1"), "one");
  assert.deepEqual(outbox.drafts.value, []);
});

test("presence is merged, and joining twice is one person", () => {
  const peers = new Peers(3);
  assert.equal(peers.count.value, 3);
  peers.meet([peer("a")], 1);
  peers.change({ joined: [peer("b"), peer("a")], count: 2 });
  assert.deepEqual(peers.list.value.map(({ id }) => id), ["a", "b"]);
  peers.change({ renamed: [{ ...peer("b"), name: "bea" }], left: ["a"], count: 1 });
  assert.deepEqual(peers.list.value.map(({ name }) => name), ["bea"]);
});

test("a presence of nothing but a count ends the list", () => {
  const peers = new Peers();
  peers.meet([peer("a")], 1);
  peers.change({ count: 201 });
  assert.deepEqual([peers.list.value, peers.count.value], [[], 201]);
});

test("a transfer is told, becomes an entry, and is not brought back by a late tick", () => {
  const transfers = new Transfers();
  transfers.tell({ id: "x", name: "a", received: 1, size: 9, state: "receiving" });
  transfers.tell({ id: "x", received: 9, state: "done" });
  assert.deepEqual(transfers.list.value, [{ id: "x", name: "a", received: 9, size: 9, state: "done" }]);
  transfers.drop("x");
  transfers.tell({ id: "x", received: 9, state: "done" });
  assert.deepEqual(transfers.list.value, []);
});

test("after a reconnect only running transfers count, and failures stay to be read", () => {
  const transfers = new Transfers();
  transfers.tell({ id: "run", state: "receiving" });
  for (const id of ["f1", "f2", "f3", "f4", "f5"]) transfers.tell({ id, state: "failed" });
  transfers.meet([{ id: "new", state: "receiving" }]);
  assert.deepEqual(transfers.list.value.map(({ id }) => id), ["f2", "f3", "f4", "f5", "new"]);
});

function uploadsOn(held) {
  const carrier = { send: (body, { key, url }, told) => held.platform.put({ body, key, url, ...told }), drop: (url) => held.dropped.push(url) };
  return new Uploads(held.platform, carrier, new Unfinished(memory()));
}

test("two uploads go at once, the third waits for its turn", async () => {
  const held = stage();
  const uploads = uploadsOn(held);
  for (const key of ["a", "b", "c"]) uploads.add(key, { size: 4 }, `${key}.txt`);
  assert.deepEqual(uploads.list.value.map(({ state }) => state), ["sending", "sending", "queued"]);
  held.puts[0].request.progress(3);
  assert.equal(uploads.list.value[0].sent, 3);
  held.puts[0].resolve({ file: { id: "f" } });
  await settled();
  assert.deepEqual(uploads.list.value.map(({ state }) => state), ["sent", "sending", "sending"]);
});

test("a failed upload says why and can go again; a cancelled one is gone", async () => {
  const held = stage();
  const uploads = uploadsOn(held);
  uploads.add("a", { size: 4 }, "a.txt");
  held.puts[0].reject({ code: "disk_full", message: "full" });
  await settled();
  assert.equal(uploads.list.value[0].code, "disk_full");
  uploads.resume("a");
  assert.equal(uploads.list.value[0].state, "sending");
  uploads.cancel("a");
  await settled();
  assert.deepEqual(uploads.list.value, []);
});

test("a paused upload makes room, goes on at its url, and the stopped try has no say any more", async () => {
  const held = stage();
  const uploads = uploadsOn(held);
  for (const key of ["a", "b", "c"]) uploads.add(key, { size: 4 }, `${key}.txt`);
  held.puts[0].request.begun("/u/1");
  uploads.pause("a");
  await settled();
  assert.deepEqual(uploads.list.value.map(({ state }) => state), ["paused", "sending", "sending"]);
  uploads.resume("a");
  assert.equal(uploads.list.value[0].state, "queued");
  held.puts[1].resolve({ file: { id: "f" } });
  await settled();
  assert.equal(held.puts[3].request.url, "/u/1");
  assert.equal(uploads.list.value[0].state, "sending");
});

test("what breaks off is tried again, ever later, until it gets no further; a new hello begins anew", async () => {
  const held = stage();
  const uploads = uploadsOn(held);
  uploads.add("a", { size: 4000 }, "a.txt");
  const fail = async (sent) => {
    if (sent) held.puts.at(-1).request.progress(sent);
    held.puts.at(-1).reject({ code: "unreachable", message: "" });
    await settled();
    return uploads.list.value[0].state;
  };
  for (let tries = 0; tries < 30; tries += 1) {
    assert.equal(await fail(tries + 1), "waiting", "each time a byte further");
    held.ring();
  }
  for (let tries = 0; tries < 7; tries += 1) {
    assert.equal(await fail(1), "waiting");
    held.ring();
  }
  assert.equal(await fail(1), "failed");
  uploads.revive();
  assert.equal(uploads.list.value[0].state, "sending");
});

test("what is cancelled before the server has said where it lies is taken away once it says so", () => {
  const held = stage();
  const uploads = uploadsOn(held);
  uploads.add("a", { size: 4 }, "a.txt");
  uploads.cancel("a");
  held.puts[0].request.begun("/u/1");
  assert.deepEqual([held.dropped, uploads.list.value], [["/u/1"], []]);
});

test("two tabs keep their unfinished uploads on one shelf", () => {
  const shelf = memory();
  const [one, other] = [new Unfinished(shelf), new Unfinished(shelf)];
  one.keep({ key: "a", id: "1" });
  other.keep({ key: "b", id: "2" });
  one.forget("a");
  assert.deepEqual(new Unfinished(shelf).list.value, [{ key: "b", id: "2" }]);
  one.meet(["3"]);
  assert.deepEqual(shelf.value, {});
});

test("a transfer is known as mine by its key, else by sender and size, whatever the server made of its name", () => {
  const held = stage();
  const uploads = uploadsOn(held);
  uploads.add("a", { size: 4 }, "a.txt");
  assert.equal(uploads.claim({ id: "t1", name: "a.txt", size: 4, from: peer("bob") }, "me"), undefined);
  assert.equal(uploads.claim({ id: "t2", name: "a_.txt", size: 4, from: peer("me") }, "me").key, "a");
  assert.equal(uploads.claim({ id: "t2" }, "me").key, "a");
  assert.equal(uploads.claim({ id: "t3", name: "a.txt", size: 4, from: peer("me") }, "me"), undefined);
  uploads.add("b", { size: 4 }, "b.txt");
  assert.equal(uploads.claim({ id: "t4", key: "b", name: "?" }, "me").key, "b");
});

test("a connection comes back by itself, with the address of that moment", () => {
  const held = stage();
  let position = 5;
  const connection = new Connection(held.platform, () => `/ws?after=${position}`, () => {});
  connection.open();
  assert.equal(connection.send({ type: "say" }), false, "not yet seated");
  connection.seated();
  assert.equal(connection.send({ type: "say" }), true);
  position = 9;
  held.sockets[0].close();
  assert.deepEqual([connection.state.value, connection.attempt.value], ["lost", 1]);
  held.ring();
  assert.equal(held.sockets[1].url.searchParams.get("after"), "9");
  held.sockets[1].close();
  const [{ ms }] = held.timers.values();
  assert.ok(ms > 300 && ms <= 1200);
});

test("one may knock at once, but not twice", () => {
  const held = stage();
  const connection = new Connection(held.platform, () => "/ws", () => {});
  connection.open();
  held.sockets[0].close();
  connection.now();
  connection.now();
  assert.equal(held.sockets.length, 2);
  connection.close();
  assert.equal(held.timers.size, 0);
});

test("typing is told seldom and forgotten soon", () => {
  const held = stage();
  const typing = new Typing(held.platform);
  assert.deepEqual([typing.mayTell(0), typing.mayTell(1000), typing.mayTell(3000)], [true, false, true]);
  typing.heard(peer("bob"));
  typing.heard(peer("bob"));
  assert.deepEqual(typing.names.value, ["bob"]);
  held.ring();
  assert.deepEqual(typing.names.value, []);
});

test("what is mine is remembered by its key, within bounds", () => {
  const shelf = memory();
  const mine = new Mine(shelf);
  for (let number = 0; number < 600; number += 1) mine.remember(`k${number}`);
  assert.equal(shelf.value.length, 500);
  assert.equal(new Mine(shelf).has({ key: "k599" }), true);
});

test("notices go away by themselves and do not repeat", () => {
  const held = stage();
  const notices = new Notices(held.platform);
  notices.tell("Copied");
  notices.tell("Copied");
  assert.equal(notices.list.value.length, 1);
  held.ring();
  assert.deepEqual(notices.list.value, []);
});

test("a chosen theme is shown and kept, an unknown one is not believed", () => {
  const shelf = memory("purple");
  const shown = [];
  const settings = new Settings(shelf, (theme) => shown.push(theme));
  assert.equal(settings.theme.value, "auto");
  settings.choose("dark");
  assert.deepEqual([shelf.value, shown], ["dark", ["dark"]]);
});

test("a language is spoken once its words are here", async () => {
  const chosen = [];
  const language = new Language(async (lang) => ({ hi: lang }), (lang) => chosen.push(lang));
  await language.speak("en");
  await language.choose("zh-CN");
  assert.deepEqual([language.lang.value, language.t.value("hi"), chosen], ["zh-CN", "zh-CN", ["zh-CN"]]);
});
