// Facts about names, records, shortcuts and snippets: what the page works out from plain values.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mentions } from "../../static/helpers/mentions.js";
import { roster, stamp, transcript } from "../../static/helpers/record.js";
import { wishOf } from "../../static/helpers/shortcuts.js";
import { snippets } from "../../static/helpers/snippets.js";
import { weave } from "../../static/helpers/weave.js";
import { Comings } from "../../static/models/comings.js";
import { file, peer, text } from "./stage.mjs";

test("a name is named as a word, in any case, and anywhere in Chinese", () => {
  for (const [words, name] of [["hi Otter!", "otter"], ["@otter", "Otter"], ["问小明吧", "小明"], ["Otter，来", "Otter"], ["a.b", "a.b"], ["Quiet Otter?", "Quiet Otter"]]) {
    assert.equal(mentions(words, name), true, words);
  }
  for (const [words, name] of [["otters", "otter"], ["blotter", "otter"], ["", "otter"], ["hi", ""], [undefined, "a"], ["snake_otter", "otter"]]) {
    assert.equal(mentions(words, name), false, String(words));
  }
  assert.equal(mentions("otters and an otter", "otter"), true, "the second time it is one");
});

test("a transcript has a line an entry, and no text can pass for another", () => {
  const at = new Date(2026, 10, 24, 9, 5, 7).getTime();
  const entries = [{ ...text(1), at, text: "one\n2026-11-24 09:05:07 [eve] two" }, { ...file(2, "f"), at, file: { name: "报告.pdf", size: 3, url: "/files/f/x" } }];
  assert.equal(stamp(at), "2026-11-24 09:05:07");
  assert.equal(
    transcript(entries, "http://room.lan"),
    "2026-11-24 09:05:07 [bob] one\n    2026-11-24 09:05:07 [eve] two\n2026-11-24 09:05:07 [bob] → 报告.pdf (3 B) http://room.lan/files/f/x\n",
  );
});

test("a roster counts what each has said, and no name is a formula", () => {
  const at = new Date(2026, 0, 2, 3, 4, 5).getTime();
  const from = { ...peer("x"), name: '=1+"1"' };
  const table = roster([{ ...text(1), at, from }, { ...file(2, "f"), at: at + 1000, from }], [peer("silent")]).split("\r\n");
  assert.equal(table[1], `"'=1+""1""",web,10.0.0.1:1,2026-01-02 03:04:05,2026-01-02 03:04:06,1,1`);
  assert.equal(table[2], "silent,web,10.0.0.1:1,,,0,0");
});

test("keys are wishes, unless somebody writes", () => {
  const key = (name, more = {}) => ({ key: name, code: "", ...more });
  assert.equal(wishOf(key("/"), false), "search");
  assert.equal(wishOf(key("/"), true), null);
  assert.equal(wishOf(key("?", { shiftKey: true }), false), "help");
  assert.equal(wishOf(key("k", { ctrlKey: true }), true), "rooms");
  assert.equal(wishOf(key("¡", { altKey: true, code: "Digit1" }), true), "tab-1");
  assert.equal(wishOf(key("Escape"), true), "end");
  assert.equal(wishOf(key("Escape", { isComposing: true }), true), null);
  assert.equal(wishOf(key("a"), false), null);
});

test("snippets name the address and the room, and IPv6 without its brackets", () => {
  const place = { protocol: "http:", hostname: "room.lan", port: "8080", origin: "http://room.lan:8080" };
  const home = snippets(place, "lobby", true).map(({ lines }) => lines[0]);
  assert.deepEqual(home.slice(0, 4), [
    "nc -u room.lan 8080",
    "nc room.lan 8080",
    "curl -d 'hello' http://room.lan:8080/r/lobby",
    "curl -T photo.jpg http://room.lan:8080/r/lobby/",
  ]);
  const lab = snippets({ ...place, hostname: "[::1]", port: "", origin: "http://[::1]" }, "实验室", false);
  assert.equal(lab[0].lines[0], "printf '/join 实验室\\n' | nc -u ::1 80");
  assert.ok(lab[4].lines.includes('room.sendto("/join 实验室".encode(), ("::1", 80))'));
});

test("who went and came back between two messages has not moved", () => {
  const comings = new Comings();
  comings.note({ joined: ["a", "b"] }, 5, 100);
  comings.note({ left: ["a"] }, 5, 200);
  comings.note({ left: ["c"] }, 5, 300);
  assert.deepEqual(comings.list.value, [{ after: 5, at: 100, joined: ["b"], left: ["c"] }]);
  comings.note({ joined: ["c"], left: ["b"] }, 5, 400);
  assert.deepEqual(comings.list.value, []);
});

test("lines are woven between rows, before the day they belong to and above drafts", () => {
  const entry = (seq, mine = false) => ({ kind: "entry", id: `seq-${seq}`, entry: { seq }, mine, first: false });
  const rows = [entry(1), { kind: "day", id: "day" }, entry(5), entry(6), { kind: "draft", id: "d" }];
  const line = (after) => ({ after, at: after, joined: ["a"], left: [] });
  const kinds = (woven) => woven.map(({ kind, entry: it }) => (it ? it.seq : kind));
  assert.deepEqual(kinds(weave(rows, { after: 1 }, [line(5), line(6)])), [1, "unread", "day", 5, "comings", 6, "comings", "draft"]);
  assert.equal(weave(rows, null, []), rows, "nothing to weave, nothing made anew");
  assert.deepEqual(kinds(weave([entry(1)], { after: 1 }, [line(1)])), [1, "comings"], "no line is drawn before nothing");
  assert.deepEqual(kinds(weave([entry(1), entry(2, true), entry(3)], { after: 1 }, [])), [1, 2, "unread", 3]);
  assert.deepEqual(kinds(weave([entry(7)], null, [line(2)])), [7], "what happened above the window is not told at its top");
});
