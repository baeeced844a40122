// Facts about moving through a long log: pages up and down, an entry, a moment, and never more rows than there may be.

import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../static/models/history.js";
import { PAGE_ENTRIES, RoomLog, WINDOW_ROWS } from "../../static/models/log.js";
import { wholeLog } from "../../static/models/record.js";
import { range, text } from "./stage.mjs";

/** A server with every third number up to `last`, and a page that stands at its end. */
function library(last) {
  const all = range(1, Math.floor(last / 3)).map(({ seq }) => ({ ...text(seq * 3), at: seq * 3000 }));
  const asked = [];
  const ask = async (query) => {
    asked.push(query);
    const { before, after, limit } = Object.fromEntries(new URLSearchParams(query));
    if (after) return all.filter(({ seq }) => seq > Number(after)).slice(0, Number(limit));
    return all.filter(({ seq }) => seq < Number(before)).slice(-Number(limit));
  };
  const log = new RoomLog("e1", 0);
  log.seed(all.slice(-PAGE_ENTRIES), PAGE_ENTRIES);
  return { all, asked, ask, log, history: new History(log, ask) };
}

const seqs = (log) => log.items.value.map(({ seq }) => seq);

test("up to the beginning and down to the end, page by page, in order and without a hole", async () => {
  const { all, log, history } = library(3000);
  let pages = 0;
  while (log.hasOlder.value) {
    await history.older();
    assert.ok(log.items.value.length <= WINDOW_ROWS);
    assert.ok((pages += 1) < 50);
  }
  assert.deepEqual(seqs(log), all.slice(0, WINDOW_ROWS).map(({ seq }) => seq));
  while (log.detached.value) {
    await history.newer();
    assert.ok(log.items.value.length <= WINDOW_ROWS);
    assert.ok((pages += 1) < 100);
  }
  assert.deepEqual(seqs(log), all.slice(-WINDOW_ROWS).map(({ seq }) => seq));
  assert.equal(log.hasOlder.value, true);
});

test("two who want a page at once get one", async () => {
  const { asked, history } = library(3000);
  await Promise.all([history.older(), history.older(), history.newer()]);
  assert.equal(asked.length, 1);
});

test("going to an entry brings what is around it; one that is gone leads to the next", async () => {
  const { asked, log, history } = library(3000);
  assert.equal(await history.to(1500), true);
  assert.equal(history.target.value.seq, 1500);
  assert.equal(log.detached.value, true);
  assert.equal(seqs(log).indexOf(1500), PAGE_ENTRIES);
  await history.to(1498);
  assert.equal(history.target.value.seq, 1500);
  const before = asked.length;
  await history.to(1503);
  assert.equal(asked.length, before, "it was on the screen already");
  await history.to(3);
  assert.equal(log.hasOlder.value, false);
  await history.to(99_999);
  assert.equal(history.target.value.seq, 3000, "nothing after it: the last one");
});

test("what comes while the reader is far back is not shown, and not lost on the way down", async () => {
  const { all, log, history } = library(600);
  await history.to(3);
  log.take([text(603)]);
  all.push(text(603));
  assert.equal(seqs(log).at(-1) < 603, true);
  while (log.detached.value) await history.newer();
  assert.equal(seqs(log).at(-1), 603);
});

test("a moment is found by halving", async () => {
  const { asked, history } = library(300_000);
  await history.toMoment(150_000_500);
  assert.equal(history.target.value.seq, 150_003);
  assert.ok(asked.length < 25, `${asked.length} questions`);
  await history.toMoment(0);
  assert.equal(history.target.value.seq, 3);
  await history.toMoment(Infinity);
  assert.equal(history.target.value.seq, 300_000, "later than everything: the end");
});

test("an empty room has nowhere to go", async () => {
  const log = new RoomLog("e1", 0);
  const history = new History(log, async () => []);
  await history.older();
  await history.newer();
  assert.equal(await history.to(5), false);
  assert.equal(await history.toMoment(5), false);
  assert.equal(history.target.value, null);
});

test("the whole log is walked from its beginning", async () => {
  const { all, ask } = library(3000);
  const told = [];
  assert.deepEqual(await wholeLog(ask, (count) => told.push(count)), all);
  assert.deepEqual(told, [500, 1000, 1000]);
});
