// Facts about the pure helpers: names, numbers, markdown, rows, frames.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LONGEST_MS, SHORTEST_MS, backoff } from "../../static/helpers/backoff.js";
import { SMALL_PICTURE_BYTES, curlLine, endingOf, kindOf, lookAt, pastedName, textOf, uploadPath } from "../../static/helpers/files.js";
import { ago, bytes, duration, percent, secondsLeft } from "../../static/helpers/format.js";
import { objectsIn } from "../../static/helpers/frames.js";
import { inventName } from "../../static/helpers/invented.js";
import { newKey } from "../../static/helpers/keys.js";
import { markdown } from "../../static/helpers/markdown.js";
import { day } from "../../static/helpers/moments.js";
import { initialOf, tidyName, toneOf } from "../../static/helpers/names.js";
import { asTyped, byteLength, isLong, isPlain } from "../../static/helpers/plain.js";
import { rowsOf } from "../../static/helpers/rows.js";
import { errorWords, wordsOf } from "../../static/helpers/words.js";

test("keys are random, long enough, and fit the wire", () => {
  const keys = new Set(Array.from({ length: 500 }, () => newKey()));
  assert.equal(keys.size, 500);
  for (const key of keys) assert.match(key, /^[\w-]{22}$/);
});

test("an invented name is a tidy one in either language", () => {
  for (const lang of ["en", "zh-CN"]) {
    for (const place of [0, 0.5, 0.999]) {
      const name = inventName(lang, () => place);
      assert.equal(tidyName(name), name);
      assert.equal(/\p{Script=Han}/u.test(name), lang === "zh-CN");
    }
  }
});

test("a name loses what the wire refuses and is cut by characters, not by halves of them", () => {
  assert.equal(tidyName("  [alice]\u0007\u200b "), "alice");
  assert.equal(tidyName("🦦".repeat(40)), "🦦".repeat(32));
  assert.equal(tidyName("\u202e"), "");
});

test("an initial tells devices apart", () => {
  const cases = { alice: "A", "小明": "小", "udp-50123": "23", "tcp-7": "7", "🦦 otter": "🦦", "": "?" };
  for (const [name, initial] of Object.entries(cases)) assert.equal(initialOf(name), initial);
});

test("a tone is the same for the same name and within eight", () => {
  const tones = new Set(Array.from({ length: 100 }, (_, number) => toneOf(`udp-${number}`)));
  assert.equal(toneOf("alice"), toneOf("alice"));
  assert.deepEqual([...tones].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("sizes are read at a glance", () => {
  const cases = [[0, "0 B"], [1023, "1,023 B"], [1536, "1.5 KiB"], [44_040_192, "42 MiB"], [2 ** 40, "1 TiB"]];
  for (const [count, words] of cases) assert.equal(bytes(count), words);
});

test("progress is known only when the size is", () => {
  assert.equal(percent(50, 200), 25);
  assert.equal(percent(300, 200), 100);
  assert.equal(percent(0, 0), 100);
  assert.equal(percent(5, null), null);
  assert.equal(secondsLeft(50, 150, 10), 10);
  assert.equal(secondsLeft(50, null, 10), null);
  assert.equal(secondsLeft(50, 150, 0), null);
});

test("time is told the way people tell it", () => {
  const now = new Date(2026, 10, 23, 12, 0, 0).getTime();
  assert.equal(ago(now - 12_000, now, "en"), "12 sec. ago");
  assert.equal(ago(now + 5_000, now, "en"), "now");
  assert.equal(ago(now - 7_200_000, now, "zh-CN"), "2小时前");
  assert.equal(day(now, now, "en"), "Today");
  assert.equal(day(now - 86_400_000, now, "en"), "Yesterday");
  assert.equal(duration(8, "en"), "8 sec");
  assert.equal(duration(3900, "en"), "1 hr 5 min");
});

test("the wire counts bytes, not signs", () => {
  assert.equal(byteLength("你好"), 6);
});

test("a file is named and shown for what it is", () => {
  assert.equal(endingOf("报告.tar.gz"), "GZ");
  assert.equal(endingOf("Makefile"), "");
  const kinds = ["image/png", "image/svg+xml", "video/webm", "audio/ogg", "text/plain", "text/html", "application/pdf", "application/zip"];
  assert.deepEqual(kinds.map((media_type) => kindOf({ media_type })), ["image", null, "video", "audio", "text", null, "pdf", null]);
  assert.equal(kindOf({}), null);
  const picture = { id: "f1", url: "/files/f1/a.png", size: SMALL_PICTURE_BYTES + 1, width: 900, height: 600 };
  assert.equal(lookAt(picture), "/thumbs/f1");
  assert.equal(lookAt({ ...picture, size: SMALL_PICTURE_BYTES }), picture.url, "small enough to be taken as it is");
  assert.equal(lookAt({ ...picture, width: undefined }), picture.url, "nobody knows whether it is one");
  assert.equal(curlLine("http://h/f", "it's $(rm).txt"), "curl -o 'it'\\''s $(rm).txt' 'http://h/f'");
  const bytes = new TextEncoder().encode("温度");
  assert.equal(textOf(bytes), "温度");
  assert.equal(textOf(bytes.slice(0, 5)), "温", "a sign cut in two is left out");
  assert.equal(textOf(new Uint8Array([0xce, 0xc2, 0xb6, 0xc8])), "温度", "GB18030");
  assert.equal(pastedName("image.png", new Date(2026, 0, 2, 3, 4, 5)), "pasted-2026-01-02-030405.png");
  assert.equal(pastedName("cat.png", 0), "cat.png");
  assert.equal(uploadPath("教室", "a b/c?.txt"), "/r/%E6%95%99%E5%AE%A4/a%20b%2Fc%3F.txt");
});

test("a frame holds many objects, and a bad one spoils only itself", () => {
  assert.deepEqual(objectsIn('{"a":1}\n{bad\n\n3\nnull\n{"b":2}'), [{ a: 1 }, { b: 2 }]);
});

test("knocking again waits longer each time, never too long, never in step", () => {
  assert.equal(backoff(0, () => 0), SHORTEST_MS);
  assert.equal(backoff(0, () => 1), 2 * SHORTEST_MS);
  assert.equal(backoff(50, () => 1), LONGEST_MS);
  assert.notEqual(backoff(5, () => 0.2), backoff(5, () => 0.8));
});

test("words are filled in, with the language's own plurals; a missing key shows itself", () => {
  const t = wordsOf({ hi: "Hi {name}", people: { one: "{n} person", other: "{n} people" }, "error.busy": "Busy." }, "en");
  assert.equal(t("hi", { name: "<b>" }), "Hi <b>");
  assert.equal(t("people", { n: 1 }), "1 person");
  assert.equal(t("people", { n: 1200 }), "1,200 people");
  assert.equal(t("nowhere"), "nowhere");
  assert.equal(errorWords(t, "busy", "x"), "Busy.");
  assert.equal(errorWords(t, "brand_new", "the server's words"), "the server's words");
});

/** The tree as text, with its tags, to compare at a glance. */
const drawn = (tree) =>
  tree.map((node) => (typeof node === "string" ? node : `<${node.tag}${node.href ? ` ${node.href}` : ""}>${drawn(node.children)}</>`)).join("");

test("quotes in quotes without end are plain text, whatever the lexer's stack could bear", () => {
  for (const text of [">".repeat(2000), "> ".repeat(41), "hi\n" + " >".repeat(50)]) {
    assert.equal(drawn(markdown(text)), `<p>${text}</>`);
  }
  assert.match(drawn(markdown(">> hi")), /<blockquote><blockquote>/);
});

test("a text that is surely plain is what the reader of markdown would make of it", () => {
  const pieces = ["t=23.5", "12", "1.", "1)", "-", "+", "=", "==", "---", "a", "温度", " ", "  ", "\n", "\t", "!", "(", ")", ":", "'", '"', "{", "}", "$", "%", "www.", "http", "://", "&", "*", "_", "`", "#", ">", "|", "~~", "@", "[", "]", "<", "\\", "/", ";", ",", "?"];
  let seed = 1;
  const next = (below) => (seed = (seed * 48271) % 2147483647) % below;
  let plain = 0;
  for (let round = 0; round < 20000; round += 1) {
    const text = Array.from({ length: 1 + next(6) }, () => pieces[next(pieces.length)]).join("");
    if (!isPlain(text)) continue;
    plain += 1;
    assert.deepEqual(markdown(text), asTyped(text), JSON.stringify(text));
  }
  assert.ok(plain > 1000, `${plain} of them were plain`);
  for (const text of ["t=23.5 rh=61", "大家好，开始上课。", "line 12", "3.5 mm, please!"]) assert.ok(isPlain(text), text);
});

test("markdown draws the little that a chat needs", () => {
  const cases = {
    "**温度** is `23.5`": "<p><strong>温度</> is <code>23.5</></>",
    "one\ntwo": "<p>one\ntwo</>",
    "https://a.example/?x=1&y=2": "<p><a https://a.example/?x=1&y=2>https://a.example/?x=1&y=2</></>",
    "> said\n\nyes": "<blockquote><p>said</></><p>yes</>",
    "```\na < b\n```": "<pre>a < b</>",
    "- a\n- *b*": "<ul><li><span>a</></><li><span><em>b</></></></>",
    "~~no~~ \\*": "<p><del>no</> *</>",
  };
  for (const [text, tree] of Object.entries(cases)) assert.equal(drawn(markdown(text)), tree);
});

test("what we do not draw comes out as it was typed", () => {
  const plain = [
    "<img src=x onerror=alert(1)>", "# heading", "[x](javascript:alert(1))", "![pic](http://a/b.png)", "[a](/relative)",
    "-", "1.", "---", "a|b\n-|-\n1|2", "[ref]: http://a.example", "- [ ] task", "    indented", "<!-- hm", "&lt;b&gt;",
  ];
  for (const text of plain) assert.equal(drawn(markdown(text)), `<p>${text}</>`, text);
});

test("hostile nesting and length come out as text, soon", () => {
  for (const text of [">".repeat(16_000), "1. ".repeat(1300), ">".repeat(3000), "a.".repeat(1999) + "@"]) {
    const started = performance.now();
    const tree = JSON.stringify(markdown(text));
    assert.ok(performance.now() - started < 1500);
    assert.ok(tree.length >= text.length / 3);
  }
});

const entry = (seq, at, id = "p1", more = {}) => ({ type: "text", seq, at, key: `k${seq}`, from: { id, name: id, via: "web" }, ...more });
const MINUTE = 60_000;
const NOON = new Date(2026, 10, 23, 12).getTime();
const kinds = (rows) => rows.map((row) => (row.first === undefined ? row.kind : `${row.kind}${row.first ? "*" : ""}`));

test("a sender who speaks on within two minutes has one heading", () => {
  const items = [entry(1, NOON), entry(2, NOON + MINUTE), entry(3, NOON + 4 * MINUTE), entry(4, NOON + 4 * MINUTE, "p2")];
  assert.deepEqual(kinds(rowsOf(items, [], () => false)), ["day", "entry*", "entry", "entry*", "entry*"]);
});

test("whoever sends by curl is another author each time, and the same speaker", () => {
  const said = (seq, via) => entry(seq, NOON, `p${seq}`, { from: { id: `p${seq}`, name: "ci", via } });
  const items = [said(1, "http"), said(2, "http"), said(3, "udp"), said(4, "udp")];
  assert.deepEqual(kinds(rowsOf(items, [], () => false)), ["day", "entry*", "entry", "entry*", "entry*"]);
});

test("a new day and a gap part what would be grouped", () => {
  const midnight = new Date(2026, 10, 24).getTime();
  const items = [entry(1, midnight - 1000), entry(2, midnight + 1000), { type: "gap", from: 3, to: 8, seq: 8 }, entry(9, midnight + 2000)];
  assert.deepEqual(kinds(rowsOf(items, [], () => false)), ["day", "entry*", "day", "entry*", "gap", "entry*"]);
});

test("a draft keeps its row when it comes back as an entry", () => {
  const mine = (item) => item.key === "k2";
  const before = rowsOf([entry(1, NOON)], [{ key: "k2", text: "hi", at: NOON }], mine);
  const after = rowsOf([entry(1, NOON), entry(2, NOON)], [], mine);
  assert.equal(before.at(-1).id, after.at(-1).id);
  assert.equal(after.at(-1).mine, true);
});

test("every row has an id of its own, even when clocks run backwards", () => {
  const items = [entry(1, NOON), entry(2, NOON - 86_400_000), entry(3, NOON)];
  const ids = rowsOf(items, [], () => false).map((row) => row.id);
  assert.equal(new Set(ids).size, ids.length);
});

test("withdrawals of one person in a row are one line, and part what would be grouped", () => {
  const taken = (seq, id) => entry(seq, NOON, id, { type: "withdraw", withdraws: 1 });
  const items = [entry(2, NOON), taken(3, "p1"), taken(4, "p1"), taken(5, "p2"), entry(6, NOON), taken(7, "p2")];
  const rows = rowsOf(items, [], () => false);
  assert.deepEqual(kinds(rows), ["day", "entry*", "withdrawal", "withdrawal", "entry*", "withdrawal"]);
  assert.deepEqual(rows.filter(({ count }) => count).map(({ id, from, count }) => [id, from.name, count]), [["seq-3", "p1", 2], ["seq-5", "p2", 1], ["seq-7", "p2", 1]]);
});

test("what a host took back is told by whose it was", () => {
  const taken = (seq, whose) => entry(seq, NOON, "host", { type: "withdraw", withdraws: 1, whose: whose && { name: whose } });
  const rows = rowsOf([taken(2, "bob"), taken(3, "bob"), taken(4, "eve"), taken(5)], [], () => false);
  assert.deepEqual(rows.slice(1).map(({ whose, count }) => [whose?.name, count]), [["bob", 2], ["eve", 1], [undefined, 1]]);
});

test("a text is long by its signs or by its lines", () => {
  assert.equal(isLong("a".repeat(1500)), false);
  assert.equal(isLong("a".repeat(1501)), true);
  assert.equal(isLong("a\n".repeat(17)), false);
  assert.equal(isLong("a\n".repeat(18)), true);
});
