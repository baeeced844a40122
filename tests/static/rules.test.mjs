// Facts about a room that is ruled: what holds, who is silenced, who knocks, and what hosts did in words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deedWords } from "../../static/helpers/deeds.js";
import { transcript } from "../../static/helpers/record.js";
import { rowsOf } from "../../static/helpers/rows.js";
import { weave } from "../../static/helpers/weave.js";
import { wordsOf } from "../../static/helpers/words.js";
import { enter as enterRoom, hello, peer, rule, text } from "./stage.mjs";

const FREE = { topic: "", read_only: false, pin: false, muted: [] };
const words = JSON.parse(readFileSync(new URL("../../static/i18n/en.json", import.meta.url)));

function enter(more = {}) {
  const held = enterRoom();
  held.greet = (again = more) => held.hear(hello({ host: false, rules: FREE, ...again }));
  held.greet();
  held.rules = held.room.rules;
  return held;
}

test("what holds is told by hello and changed by rules", () => {
  const { hear, rules, room } = enter({ rules: { ...FREE, topic: "Maths", muted: ["p9"] } });
  assert.equal(rules.topic.value, "Maths");
  hear(rule(1, { topic: "Physics" }), rule(2, { mute: peer("p1") }), rule(3, { read_only: true }), rule(4, { pin: true }));
  assert.equal(rules.pin.value, true);
  assert.deepEqual([rules.topic.value, [...rules.muted.value], rules.readOnly.value], ["Physics", ["p9", "p1"], true]);
  assert.equal(rules.silenced.value, "readOnly");
  hear(rule(5, { read_only: false }));
  assert.equal(rules.silenced.value, "muted");
  hear(rule(6, { unmute: peer("p1") }), rule(7, { "of a later server": true }));
  assert.equal(rules.silenced.value, null);
  assert.equal(room.arrivals.value, 0, "nobody said anything");
});

test("a host is never silenced, and a server without rules silences nobody", () => {
  const { hear, rules, greet } = enter({ host: true, rules: { ...FREE, read_only: true } });
  assert.equal(rules.silenced.value, null);
  hear(rule(1, { mute: peer("p1") }));
  assert.equal(rules.silenced.value, null);
  greet({ host: undefined, rules: undefined });
  assert.deepEqual([rules.host.value, rules.silenced.value, rules.topic.value], [false, null, ""]);
});

test("who knocks is shown until somebody has answered", () => {
  const held = enter({ host: true });
  const knock = (id, more = {}) => ({ type: "knock", id, via: "udp", addr: "10.0.0.7:5", text: "hello", ...more });
  held.hear(knock("k1"), knock("k2"), knock("k1", { text: "again" }));
  assert.deepEqual(held.company.knocks.list.value.map(({ id, text }) => [id, text]), [["k2", "hello"], ["k1", "again"]]);
  held.company.knocks.admit({ id: "k1" }, true);
  held.company.knocks.turnAway({ id: "k2" });
  assert.deepEqual(held.sockets[0].sent, [{ type: "admit", id: "k1", always: true }, { type: "refuse", id: "k2" }]);
  held.hear({ type: "knock", id: "k1", answered: "admitted" });
  assert.deepEqual(held.company.knocks.list.value.map(({ id }) => id), ["k2"]);
  held.greet({ host: true });
  assert.deepEqual(held.company.knocks.list.value, []);
});

test("a wish goes out under a key, or is refused when nobody hears it", () => {
  const held = enter({ host: true });
  held.company.rule({ mute: "p9" });
  assert.deepEqual(held.sockets[0].sent, [{ type: "rule", key: "mine1", rule: { mute: "p9" } }]);
  held.sockets[0].close();
  held.company.rule({ mute: "p9" });
  assert.deepEqual(held.refusals, [{ code: "unreachable", message: "" }]);
});

test("who was removed does not knock again by itself, only when asked to", () => {
  const held = enter();
  held.sockets[0].onclose({ code: 1008, reason: "removed" });
  assert.equal(held.room.connection.state.value, "shut");
  held.ring();
  assert.equal(held.sockets.length, 1);
  held.room.connection.now();
  assert.equal(held.sockets.length, 2);
  held.sockets[1].onclose({ code: 1008, reason: "more than 1024 objects in a frame" });
  assert.equal(held.room.connection.state.value, "lost");
});

test("every kind of rule has a sentence, and a later kind has one too", () => {
  const t = wordsOf(words, "en");
  const bob = peer("bob");
  const told = [
    { topic: "Maths" }, { topic: "" }, { read_only: true }, { read_only: false }, { mute: bob }, { unmute: bob },
    { pin: true }, { pin: false },
    { rename: bob, name: "Robert" }, { rename: bob, name: "" }, { remove: bob, until: 1 }, { later: 1 }, undefined,
  ].map((said, seq) => deedWords(t, rule(seq, said)));
  assert.deepEqual(told, [
    "alice set the topic: Maths", "alice took the topic away", "alice made the room read-only: only hosts speak",
    "alice let everybody speak again", "alice muted bob", "alice let bob speak again",
    "alice set a PIN for who enters", "alice took the PIN away", "alice renamed bob to Robert",
    "alice let bob choose a name", "alice removed bob", "alice made a rule", "alice made a rule",
  ]);
});

test("who came in between stands between a rule and what follows it", () => {
  const rows = rowsOf([text(1), rule(2, { topic: "Maths" }), rule(4, { topic: "" })], [], () => false);
  const woven = weave(rows, { after: 1, count: 1 }, [{ after: 3, at: 1, joined: ["bob"], left: [] }]);
  assert.deepEqual(woven.map(({ kind }) => kind), ["day", "entry", "rule", "comings", "rule"]);
});

test("a rule is a row of its own, and a line of the record", () => {
  const laid = rule(2, { topic: "Maths" });
  const rows = rowsOf([text(1), laid, text(3)], [], () => false);
  assert.deepEqual(rows.map(({ kind, first }) => [kind, first]), [["day", undefined], ["entry", true], ["rule", undefined], ["entry", true]]);
  assert.deepEqual(rowsOf([laid, text(3)], [], () => false).map(({ kind }) => kind), ["day", "rule", "entry"]);
  const lines = transcript([text(1), laid], "http://h", () => "alice set the topic: Maths").split("\n");
  assert.match(lines[1], /\d \* alice set the topic: Maths$/);
});
