// Facts about the room as a whole: what comes over the socket goes to its place, and nothing said is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { enter, file, hello, peer, range, settled, text, withdrawal } from "./stage.mjs";

const said = (held) => held.room.log.items.value.map((item) => item.text);

test("the first knock resumes from what the server wrote into the page", () => {
  const held = enter({ entries: [text(4), text(5)], lastSeq: 5 });
  const query = held.sockets[0].url.searchParams;
  assert.deepEqual(Object.fromEntries(query), { name: "me", client: "secret", after: "5", epoch: "e1" });
  held.hear(hello(), text(5), text(6));
  assert.deepEqual(said(held), ["t4", "t5", "t6"]);
});

test("a message waits for hello, is grey until its key comes back, and is sent once", () => {
  const held = enter();
  held.room.say("hi");
  assert.deepEqual(held.sockets[0].sent, []);
  held.hear(hello());
  assert.deepEqual(held.sockets[0].sent, [{ type: "say", key: "mine1", text: "hi" }]);
  assert.equal(held.room.rows.value.at(-1).kind, "draft");
  held.hear({ ...text(1, "mine1", peer("p1")), text: "hi" });
  assert.deepEqual(held.room.rows.value.map(({ kind, mine }) => [kind, mine]).at(-1), ["entry", true]);
  assert.equal(held.room.arrivals.value, 0);
});

test("after a loss the same key goes again, with the position, and an old number settles it", () => {
  const held = enter();
  held.hear(hello(), text(1));
  held.room.say("hi");
  held.sockets[0].close();
  held.room.say("there");
  held.ring();
  assert.equal(held.sockets[1].url.searchParams.get("after"), "1");
  held.hear(hello(), text(2), text(3));
  assert.deepEqual(held.sockets[1].sent.map(({ key }) => key), ["mine1", "mine2"]);
  held.hear(text(2, "mine1"), text(4, "mine2"));
  assert.deepEqual(held.room.outbox.drafts.value, []);
  assert.equal(held.room.log.items.value.length, 4);
});

test("an error with my key turns that message red; one without is a notice", () => {
  const held = enter();
  held.hear(hello());
  held.room.say("x");
  held.hear({ type: "error", code: "too_long", message: "…", key: "mine1" }, { type: "error", code: "bad_name", message: "…" });
  assert.equal(held.room.outbox.drafts.value[0].state, "failed");
  assert.deepEqual(held.refusals, [{ code: "bad_name", message: "…" }]);
  held.room.retry("mine1");
  assert.equal(held.sockets[0].sent.filter(({ key }) => key === "mine1").length, 2);
});

test("what is said too fast for the server stays grey, and is said again in its order", () => {
  const held = enter();
  for (let number = 0; number < 45; number += 1) held.room.say(`m${number}`);
  const keys = (from, to) => Array.from({ length: to - from }, (_, index) => `mine${from + index + 1}`);
  const sent = () => held.sockets.at(-1).sent.splice(0).map(({ key }) => key);
  const stored = (from, to) => held.hear(...keys(from, to).map((key, index) => text(from + index + 1, key)));
  held.hear(hello());
  assert.deepEqual(sent(), keys(0, 20));
  stored(0, 15);
  held.hear(...keys(15, 20).map((key) => ({ type: "error", code: "rate_limited", message: "…", key })));
  assert.ok(held.room.outbox.drafts.value.every(({ state }) => state === "waiting"));
  held.ring();
  assert.deepEqual(sent(), keys(15, 35));
  stored(15, 35);
  held.sockets[0].close();
  held.ring();
  assert.deepEqual(sent(), [], "nothing before hello");
  held.hear(hello());
  assert.deepEqual(sent(), keys(35, 45));
  stored(35, 45);
  held.ring();
  assert.deepEqual([sent(), held.room.outbox.drafts.value, held.refusals], [[], [], []]);
});

test("what I withdraw is asked for by its number and goes when the log says so", () => {
  const held = enter();
  held.hear(hello(), text(1), text(2, "mine0", peer("p1")));
  held.company.withdraw(held.room.log.items.value[1]);
  assert.deepEqual(held.sockets[0].sent, [{ type: "withdraw", key: "mine1", seq: 2 }]);
  assert.deepEqual(said(held), ["t1", "t2"]);
  held.hear(withdrawal(3, 2, peer("p1")));
  assert.deepEqual(held.room.rows.value.map(({ kind }) => kind), ["day", "entry", "withdrawal"]);
  assert.equal(held.room.arrivals.value, 2, "nobody said anything new");
  held.sockets[0].close();
  held.company.withdraw(text(1));
  assert.deepEqual(held.refusals, [{ code: "unreachable", message: "" }]);
});

test("what another tab of mine withdrew before I saw it come back is asked about, and done with", () => {
  const held = enter();
  held.hear(hello());
  held.room.say("hi");
  held.hear(withdrawal(2, 1, peer("somebody else")));
  assert.equal(held.sockets[0].sent.length, 1);
  held.hear(withdrawal(4, 3, peer("p1")));
  assert.deepEqual(held.sockets[0].sent.map(({ key }) => key), ["mine1", "mine1"]);
  held.hear({ type: "error", code: "not_found", message: "…", key: "mine1" });
  assert.deepEqual([held.room.outbox.drafts.value, held.refusals], [[], []]);
});

test("another epoch starts again and still says what was not confirmed", () => {
  const held = enter({ entries: [text(50)], lastSeq: 50 });
  held.room.say("hi");
  held.hear(hello({ epoch: "e2" }), { type: "gap", from: null, to: null }, text(1), text(2));
  assert.deepEqual(said(held), ["t1", "t2"]);
  assert.equal(held.sockets[0].sent.length, 1);
  held.sockets[0].close();
  held.ring();
  assert.equal(held.sockets[1].url.searchParams.get("epoch"), "e2");
});

test("many objects in many frames are one drawing", () => {
  const held = enter();
  held.sockets[0].hear(hello(), ...range(1, 100));
  held.sockets[0].hear(...range(101, 200));
  assert.equal(held.frames.length, 1);
  held.draw();
  assert.equal(held.room.log.items.value.length, 200);
});

test("signals and entries of a kind we do not know do no harm", () => {
  const held = enter();
  held.hear(hello(), { type: "weather" }, { type: "presence", count: 7 }, { type: "typing" });
  assert.equal(held.room.peers.count.value, 7);
});

test("typing is shown until the words come, and never my own", () => {
  const held = enter();
  held.hear(hello(), { type: "typing", from: peer("p1") }, { type: "typing", from: peer("bob") });
  assert.deepEqual(held.room.typing.names.value, ["bob"]);
  held.hear(text(1, "k", peer("bob")));
  assert.deepEqual(held.room.typing.names.value, []);
});

test("my name is what the server says it is", () => {
  const held = enter();
  held.hear(hello({ you: { ...peer("p1"), name: "me-2" } }));
  held.room.rename("zoe");
  held.hear({ type: "presence", renamed: [{ ...peer("p1"), name: "zoe" }], count: 1 });
  assert.equal(held.room.you.value.name, "zoe");
  assert.deepEqual(held.sockets[0].sent.at(-1), { type: "name", name: "zoe" });
});

test("a transfer that is done for a reason has no entry, and its card goes", () => {
  const held = enter();
  held.hear(hello(), { type: "transfer", id: "f1", name: "a", from: peer("t", "http"), received: 2, size: 2, state: "receiving" });
  held.hear({ type: "transfer", id: "f1", name: "a", from: peer("t", "http"), received: 2, size: 2, state: "done", reason: "it was here already" });
  assert.deepEqual(held.room.sending.transfers.list.value, []);
});

test("somebody's transfer becomes the file's entry", () => {
  const held = enter();
  held.hear(hello(), { type: "transfer", id: "f1", name: "a", from: peer("t", "tcp"), received: 1, size: 2, state: "receiving" });
  assert.equal(held.room.sending.transfers.list.value.length, 1);
  held.hear(file(1, "f1"), { type: "transfer", id: "f1", received: 2, size: 2, state: "done" });
  assert.deepEqual(held.room.sending.transfers.list.value, []);
});

for (const order of ["answer first", "entry first"]) {
  test(`my upload is one card and then one entry of mine: ${order}`, async () => {
    const held = enter();
    held.hear(hello());
    held.room.sending.upload({ size: 2 }, "a");
    const { request, resolve } = held.puts[0];
    assert.equal(request.path, "/r/lobby/a");
    held.hear({ type: "transfer", id: "f1", name: "a", from: peer("p1"), received: 1, size: 2, state: "receiving" });
    assert.equal(held.room.sending.uploads.list.value[0].id, "f1");
    const entry = file(1, "f1", "the-server's-own-key");
    if (order === "answer first") {
      resolve(entry);
      await settled();
      assert.equal(held.room.sending.uploads.list.value[0].state, "sent");
      held.hear(entry);
    } else {
      held.hear(entry);
      resolve(entry);
      await settled();
    }
    assert.deepEqual(held.room.sending.uploads.list.value, []);
    assert.deepEqual(held.room.sending.transfers.list.value, []);
    assert.equal(held.room.rows.value.at(-1).mine, true);
  });
}

test("my own failed upload is one red card, mine", async () => {
  const held = enter();
  held.hear(hello());
  held.room.sending.upload({ size: 2 }, "a");
  held.puts[0].reject({ code: "disk_full", message: "" });
  await settled();
  held.hear({ type: "transfer", id: "f1", name: "a", from: peer("p1"), received: 2, size: 2, state: "failed", reason: "disk_full" });
  assert.deepEqual(held.room.sending.transfers.list.value, []);
  assert.equal(held.room.sending.uploads.list.value[0].state, "failed");
});

const LARGE = { name: "film.mp4", size: 3_000_000, lastModified: 7 };
const AT = "http://room.lan/r/lobby/uploads/f1";
const resting = { type: "transfer", id: "f1", name: "film.mp4", from: peer("p1"), received: 9, size: LARGE.size, state: "paused" };

test("a large file goes by a way that can stop, and what is known of it is kept until it is here", () => {
  const held = enter();
  held.hear(hello());
  held.room.sending.upload(LARGE, "film.mp4");
  const { request } = held.sends[0];
  assert.deepEqual([request.path, request.key, request.url, held.puts.length], ["/r/lobby/uploads", "mine1", undefined, 0]);
  request.begun(AT);
  assert.deepEqual(held.room.sending.unfinished.list.value, [{ key: "mine1", name: "film.mp4", size: LARGE.size, modified: 7, url: AT, id: "f1" }]);
  held.hear(resting);
  assert.deepEqual(held.room.sending.halfway.value, [], "its file is in our hands");
  held.hear(file(1, "f1", "mine1"));
  assert.deepEqual([held.room.sending.unfinished.list.value, held.room.sending.uploads.list.value], [[], []]);
});

const kept = { mine0: { key: "mine0", name: "film.mp4", size: LARGE.size, modified: 7, url: AT, id: "f1" } };

test("what an earlier page began goes on with the same file, chosen anywhere, or shown to its card", () => {
  for (const choose of [(room) => room.sending.upload(LARGE, "film.mp4"), (room) => room.sending.goOn(kept.mine0, { ...LARGE, lastModified: 9 })]) {
    const held = enter({ unfinished: kept });
    held.hear(hello({ transfers: [resting] }));
    assert.equal(held.room.sending.halfway.value.length, 1);
    assert.equal(held.room.sending.goOn(kept.mine0, { ...LARGE, size: 5 }), false);
    choose(held.room);
    assert.deepEqual([held.sends[0].request.key, held.sends[0].request.url], ["mine0", AT]);
    assert.deepEqual(held.room.sending.halfway.value, []);
  }
});

test("what somebody sends just now, or the server knows no more, waits for no file", () => {
  const held = enter({ unfinished: kept });
  held.hear(hello({ transfers: [{ ...resting, state: "receiving" }] }));
  assert.deepEqual(held.room.sending.halfway.value, []);
  held.room.sending.upload(LARGE, "film.mp4");
  assert.equal(held.sends[0].request.url, undefined);
  held.hear(hello());
  assert.deepEqual(held.room.sending.unfinished.list.value, []);
});

test("what is cancelled is taken away at the server too, and its end is not told to who cancelled it", () => {
  const held = enter({ unfinished: kept });
  held.hear(hello({ transfers: [resting] }));
  held.room.sending.cancel(held.room.sending.halfway.value[0]);
  held.hear({ ...resting, state: "failed", code: "taken_back" });
  assert.deepEqual(held.dropped, [[AT, "secret"]]);
  assert.deepEqual([held.room.sending.transfers.list.value, held.room.sending.unfinished.list.value], [[], []]);
});

test("uploads that waited for the server go on when it says hello", async () => {
  const held = enter();
  held.hear(hello());
  held.room.sending.upload(LARGE, "film.mp4");
  held.sends[0].request.begun(AT);
  held.sends[0].reject({ code: "unreachable" });
  await settled();
  assert.equal(held.room.sending.uploads.list.value[0].state, "waiting");
  held.hear(hello({ transfers: [resting] }));
  assert.deepEqual([held.sends.length, held.sends[1].request.url], [2, AT]);
});

test("older entries come in fifties, and the way back asks until it has the newest", async () => {
  const answers = {
    "/r/lobby/entries?before=101&limit=50": () => ({ entries: range(51, 100) }),
    "/r/lobby/entries?before=401&limit=50": () => ({ entries: range(351, 400) }),
  };
  const held = enter({ answers });
  held.hear(hello(), ...range(101, 400));
  await held.room.history.older();
  assert.equal(held.room.log.items.value[0].seq, 51);
  assert.equal(held.room.log.detached.value, true);
  await held.room.history.latest();
  assert.equal(held.room.log.items.value.at(-1).seq, 400);
});

test("what was said while we were cut off is counted as missed, and the line stands before it", () => {
  const held = enter();
  held.hear(hello({ last_seq: 1 }), text(1));
  held.sockets[0].close();
  held.ring();
  held.hear(hello({ last_seq: 3 }), text(2), text(3));
  assert.deepEqual(held.room.reading.marker.value, { after: 1, count: 2, missed: true });
  held.hear(text(4));
  assert.equal(held.room.reading.marker.value.count, 2, "what we saw come is not missed");
  assert.deepEqual(held.room.rows.value.map(({ kind }) => kind), ["day", "entry", "unread", "entry", "entry", "entry"]);
  held.room.say("back");
  assert.equal(held.room.reading.marker.value, null);
});

test("a later visit begins where the last one ended, in the same log", () => {
  const held = enter({ entries: [text(4), text(5), text(6)], lastSeq: 6, seen: { epoch: "e1", seq: 4 } });
  assert.deepEqual(held.room.reading.marker.value, { after: 4, count: 2, missed: true });
  assert.equal(enter({ entries: [text(4)], lastSeq: 4, seen: { epoch: "e0", seq: 1 } }).room.reading.marker.value, null);
});

test("while nobody looks, what comes is new, and my name in it is counted", () => {
  const held = enter();
  held.hear(hello({ you: { ...peer("p1"), name: "Otter" } }), text(1));
  held.room.look(false);
  held.hear({ ...text(2), text: "hello otter!" }, text(3));
  assert.deepEqual(held.room.reading.marker.value, { after: 1, count: 2, missed: false });
  assert.equal(held.room.company.value.mentioned.value, 1);
  held.room.look(true);
  held.hear(text(4));
  assert.equal(held.room.reading.marker.value.count, 2);
});

test("who comes and goes is one line, and who went is remembered", () => {
  const held = enter();
  held.hear(hello(), text(1));
  held.hear({ type: "presence", joined: [peer("p1"), peer("bob"), peer("eve")], count: 3 });
  held.hear({ type: "presence", left: ["eve"], count: 2 });
  held.hear(text(2));
  held.hear({ type: "presence", left: ["bob"], count: 1 });
  const lines = held.room.rows.value.filter(({ kind }) => kind === "comings").map(({ line }) => [line.joined, line.left]);
  assert.deepEqual(lines, [[["bob"], []], [[], ["bob"]]]);
  assert.deepEqual(held.room.peers.gone.value.map(({ peer: { name } }) => name), ["bob", "eve"]);
  held.hear({ type: "presence", joined: [peer("bob")], count: 2 });
  assert.deepEqual(held.room.peers.gone.value.map(({ peer: { name } }) => name), ["eve"]);
});

test("the company may come late: it is told what was heard, each thing with its moment", () => {
  const frames = [
    [hello({ last_seq: 1, peers: [peer("p1"), peer("eve")], count: 2, transfers: [resting] })],
    [text(1, "k1", peer("eve")), { type: "typing", from: peer("eve") }],
    [{ type: "presence", joined: [peer("bob")], count: 3 }, text(2), { ...text(3), text: "hello me" }],
    [{ type: "presence", left: ["eve"], count: 2 }, file(4, "f9")],
  ];
  const [early, late] = [false, true].map((late) => {
    const held = enter({ late, unfinished: kept });
    for (const frame of frames) {
      held.now += 1000;
      held.hear(...frame);
    }
    held.now += 60_000;
    return held;
  });
  assert.deepEqual(late.room.rows.value.map(({ kind }) => kind), ["day", "entry", "entry", "entry", "entry"]);
  late.accompany();
  const seen = ({ room }) => [
    room.rows.value, room.peers.list.value, room.peers.spoke.value, room.peers.gone.value, room.company.value.mentioned.value,
    room.typing.names.value, room.sending.transfers.list.value, room.sending.halfway.value,
  ];
  assert.deepEqual(seen(late), seen(early));
  for (const held of [early, late]) held.hear(text(5, "k5", peer("bob")));
  assert.deepEqual(seen(late), seen(early));
});
