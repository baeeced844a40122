// Facts about finding things: words, files, rooms.

import assert from "node:assert/strict";
import { test } from "node:test";
import { snippet, split } from "../../static/helpers/snippet.js";
import { RoomFiles } from "../../static/models/files.js";
import { RoomList } from "../../static/models/rooms.js";
import { Search } from "../../static/models/search.js";
import { file, settled, stage, text } from "./stage.mjs";

const marked = (pieces) => pieces.map(({ text: piece, hit }) => (hit ? `<${piece}>` : piece)).join("");

test("a question is asked once its writer rests, and only the last one is answered", async () => {
  const held = stage();
  const answers = [];
  held.platform.get = (path) => new Promise((resolve) => answers.push({ path, resolve }));
  const search = new Search(held.platform, "/r/lobby");
  for (const query of ["t", "te", "tem"]) search.type(query);
  assert.equal(answers.length, 0);
  held.ring();
  assert.equal(answers.length, 1);
  assert.equal(answers[0].path, "/r/lobby/search?q=tem&limit=30");
  search.type("温度");
  held.ring();
  answers[1].resolve({ entries: [text(1), text(2)] });
  answers[0].resolve({ entries: [text(9)] });
  await settled();
  assert.deepEqual(search.found.value.map(({ seq }) => seq), [2, 1], "newest first, and of the last question");
  assert.equal(search.state.value, "done");
});

test("a question without a word is none; one that fails says so", async () => {
  const held = stage();
  const search = new Search(held.platform, "/r/lobby");
  search.type("***");
  assert.equal(search.state.value, "idle");
  held.platform.get = async () => {
    throw new Error("gone");
  };
  search.type("x");
  await search.now();
  assert.equal(search.state.value, "failed");
});

test("older answers follow the ones that are there", async () => {
  const thirty = Array.from({ length: 30 }, (_, index) => text(100 + index));
  const held = stage({
    answers: {
      "/r/lobby/search?q=x&limit=30": () => ({ entries: thirty.slice() }),
      "/r/lobby/search?q=x&limit=30&before=100": () => ({ entries: [text(1)] }),
    },
  });
  const search = new Search(held.platform, "/r/lobby");
  search.type("x");
  await search.now();
  assert.equal(search.more.value, true);
  await search.older();
  assert.deepEqual([search.found.value.length, search.found.value.at(-1).seq, search.more.value], [31, 1, false]);
});

test("a snippet shows the hit with what stands around it", () => {
  assert.equal(marked(snippet("今日温度正常", ["温度"])), "今日<温度>正常");
  assert.equal(marked(snippet("a [b](c) $1 *x* a", ["[b](c)", "$1"])), "a <[b](c)> <$1> *x* a");
  const far = marked(snippet(`${"word ".repeat(100)}needle ${"hay ".repeat(100)}`, ["needle"]));
  assert.match(far, /^…word .*<needle> hay .*…$/);
  assert.ok(far.length < 200);
  assert.equal(marked(snippet("no hit at all", [])), "no hit at all");
  assert.equal(marked(split("aXbXX", ["X", "XX"])), "a<X>b<XX>");
});

test("the files of a room are asked for once, and new ones are added on top", async () => {
  const held = stage({ answers: { "/r/lobby/search?type=file&limit=100": () => ({ entries: [file(1, "a"), file(2, "b")] }) } });
  const files = new RoomFiles(held.platform, "/r/lobby");
  files.add(file(3, "c"));
  assert.deepEqual(files.entries.value, [], "nobody has looked yet");
  await files.open();
  await files.open();
  assert.equal(held.asked.length, 1);
  files.add(file(3, "c"));
  files.add(file(3, "c"));
  assert.deepEqual(files.entries.value.map(({ seq }) => seq), [3, 2, 1]);
  files.clear();
  await files.open();
  assert.equal(held.asked.length, 2);
});

test("rooms tell how much was said since this browser was there", async () => {
  const seen = { lobby: { epoch: "e", seq: 9 }, lab: { epoch: "e", seq: 3 }, old: { epoch: "other", seq: 1 } };
  const held = stage({
    answers: {
      "/rooms": () => [
        { name: "lobby", last_seq: 9, seats: 2 },
        { name: "lab", last_seq: 20, seats: 0 },
        { name: "never", last_seq: 5, seats: 0 },
        { name: "old", last_seq: 5, seats: 0 },
      ],
      "/r/lab/entries?after=3&limit=100": () => ({ epoch: "e", entries: [text(12), text(20)] }),
      "/r/old/entries?after=1&limit=100": () => ({ epoch: "e", entries: [text(5)] }),
    },
  });
  const rooms = new RoomList(held.platform, (name) => seen[name] ?? null);
  await rooms.refresh();
  assert.deepEqual(rooms.list.value.map(({ name, unread }) => [name, unread]), [["lobby", 0], ["lab", 2], ["never", null], ["old", null]]);
});
