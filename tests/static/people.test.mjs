// Facts about people: one of them alone, names of the reader's own, and how words reach those who listen by UDP.

import assert from "node:assert/strict";
import { test } from "node:test";
import { datagramsOf } from "../../static/helpers/datagrams.js";
import { Aliases } from "../../static/models/aliases.js";
import { enter, hello, memory, peer, range, settled, text, withdrawal } from "./stage.mjs";

const sensor = peer("sensor", "udp");
const shown = (held) => held.room.rows.value.filter(({ entry }) => entry).map(({ entry }) => entry.seq);
const first = (upTo) => `/r/lobby/entries?before=${upTo + 1}&limit=50&from=sensor`;

/** A room of three entries, the third a sensor's, which is shown alone. */
async function alone(answers = {}) {
  answers[first(3)] ??= () => ({ entries: [text(1, "a", sensor), text(3, "c", sensor)] });
  const held = enter({ answers });
  held.hear(hello({ last_seq: 3 }), text(1, "a", sensor), text(2), text(3, "c", sensor));
  await held.company.showOnly(sensor);
  return held;
}

test("one peer alone is asked for, and what comes is its own", async () => {
  const held = await alone();
  assert.deepEqual(shown(held), [1, 3]);
  held.hear(text(4), text(5, "e", sensor));
  assert.deepEqual(shown(held), [1, 3, 5]);
  held.company.showAll();
  assert.deepEqual(shown(held), [1, 2, 3, 4, 5]);
});

test("what comes while it is asked for is asked for after it", async () => {
  const answers = { "/r/lobby/entries?after=3&limit=500&from=sensor": () => ({ entries: [text(5, "e", sensor)] }) };
  const held = await alone(answers);
  held.company.showAll();
  answers[first(3)] = () => {
    held.hear(text(4), text(5, "e", sensor));
    return { entries: [text(1, "a", sensor), text(3, "c", sensor)] };
  };
  await held.company.showOnly(sensor);
  assert.deepEqual(shown(held), [1, 3, 5]);
});

test("what was withdrawn leaves it, by whomever", async () => {
  const held = await alone();
  held.hear(withdrawal(4, 3, peer("host")), withdrawal(5, 1, sensor));
  assert.deepEqual(shown(held), []);
  assert.deepEqual(held.room.rows.value.map(({ kind, from }) => [kind, from?.id]), [["day", undefined], ["withdrawal", "sensor"]]);
});

test("it pages up by itself, and ends where the server has no more", async () => {
  const before = "/r/lobby/entries?before=1&limit=50&from=sensor";
  const held = await alone({ [first(3)]: () => ({ entries: range(101, 150) }), "/r/lobby/entries?before=101&limit=50&from=sensor": () => ({ entries: range(7, 20) }), [before]: () => ({ entries: [] }) });
  assert.equal(held.company.shown.log.hasOlder.value, true);
  await held.company.shown.history.older();
  assert.deepEqual([shown(held)[0], shown(held).length], [7, 64]);
  assert.equal(held.company.shown.log.hasOlder.value, false);
});

test("its newest may be gone, and still there is a way to its end", async () => {
  const held = await alone();
  held.company.shown.log.position = 9; // of an entry that a host took back
  held.company.shown.log.detached.value = true;
  await held.company.toEnd();
  assert.equal(held.company.shown.log.detached.value, false);
});

test("saying something, going to an entry, and another log end it", async () => {
  for (const end of [
    (held) => held.room.say("hi"),
    (held) => held.room.history.to(2),
    (held) => held.hear(hello({ epoch: "e2" })),
  ]) {
    const held = await alone();
    assert.notEqual(held.company.only.value, null);
    await end(held);
    await settled();
    assert.equal(held.company.only.value, null);
  }
});

test("out of reach it says so, and shows all", async () => {
  const held = await alone({ [first(3)]: () => { throw new Error("offline"); } });
  assert.equal(held.company.only.value, null);
  assert.deepEqual(held.refusals, [{ code: "unreachable", message: "" }]);
});

test("a device is called by its address, whatever port it comes from", () => {
  const kept = memory();
  const aliases = new Aliases(kept);
  const device = (addr, via = "udp") => ({ id: addr, name: "udp-1", via, addr });
  aliases.call(device("10.0.0.7:50123"), "Greenhouse");
  assert.equal(aliases.nameOf(device("10.0.0.7:61000")), "Greenhouse");
  assert.equal(aliases.nameOf(device("10.0.0.7:61000", "tcp")), "udp-1");
  assert.equal(aliases.nameOf(device("10.0.0.7:61000", "web")), "udp-1");
  assert.equal(aliases.nameOf(device("10.0.0.70:50123")), "udp-1");
  aliases.call(device("[fd00::7]:1"), "Attic");
  assert.equal(new Aliases(kept).nameOf(device("[fd00::7]:2")), "Attic");
  aliases.call(device("10.0.0.7:50123"), "");
  assert.equal(aliases.nameOf(device("10.0.0.7:50123")), "udp-1");
});

test("programs of this machine are told apart by their ports", () => {
  const aliases = new Aliases(memory());
  for (const here of ["127.0.0.1", "[::1]"]) {
    aliases.call({ name: "a", via: "udp", addr: `${here}:1` }, "one");
    assert.equal(aliases.nameOf({ name: "b", via: "udp", addr: `${here}:2` }), "b");
  }
});

test("a text is counted in datagrams as the server cuts it", () => {
  // docs/protocols/datagram.md: "[bob] " and the newline take 7 of 1,024 bytes.
  assert.deepEqual(datagramsOf("bob", "a".repeat(1017)), { used: 1017, max: 1017, count: 1 });
  assert.equal(datagramsOf("bob", "a".repeat(1018)).count, 2);
  assert.equal(datagramsOf("bob", "中".repeat(339)).count, 1);
  assert.equal(datagramsOf("bob", "中".repeat(340)).count, 2);
  assert.equal(datagramsOf("bob", "a".repeat(16384)).count, 17);
  assert.equal(datagramsOf("小明", `${"a".repeat(1000)}\nb`).used, 1006);
});
