// The frames that page and server agree on: each file of tests/golden is read here and by the server's own tests.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { enter } from "./stage.mjs";

const golden = JSON.parse(readFileSync(new URL("../golden/browser.json", import.meta.url)));

/** Where to look when a frame is heard after those before it, and what is there then. */
const SEEN = {
  hello: [(room) => [room.you.value.name, room.connection.state.value], ["alice", "open"]],
  presence: [(room) => [...room.peers.list.value.map(({ name }) => name)], ["alice", "小明"]],
  text: [(room) => [room.log.items.value.at(-1).text, room.log.position], ["温度 23.5", 1]],
  typing: [(room) => [...room.typing.names.value], ["小明"]],
  transfer: [(room) => [room.sending.transfers.list.value[0].received, room.sending.transfers.list.value[0].size], [1, null]],
  file: [(room) => [room.log.items.value.at(-1).file.url, room.sending.transfers.list.value.length], ["/files/f1/%E6%8A%A5%E5%91%8A.pdf", 0]],
  failed: [(room) => [room.sending.transfers.list.value[0].state, room.sending.transfers.list.value[0].code], ["failed", "broken_off"]],
  withdraw: [(room) => [room.log.items.value.some(({ seq }) => seq === 1), room.log.position], [false, 3]],
  gap: [(room) => [room.log.items.value.at(-1).type, room.log.position], ["gap", 8]],
  error: [(room) => [room.outbox.drafts.value[0].state, room.outbox.drafts.value[0].code], ["failed", "empty"]],
  crowd: [(room) => [room.peers.list.value.length, room.peers.count.value], [0, 300]],
  "another log": [(room) => [room.log.items.value.length, room.log.position], [0, 0]],
};

test("the room understands every frame that the server sends", () => {
  const held = enter();
  held.room.say("refused");
  for (const [name, frame] of Object.entries(golden["to the page"])) {
    held.hear(frame);
    const [look, expected] = SEEN[name];
    assert.deepEqual(look(held.room), expected, name);
  }
  assert.deepEqual(Object.keys(SEEN), Object.keys(golden["to the page"]));
});

test("what the page sends is what the server reads", () => {
  const held = enter();
  held.hear(golden["to the page"].hello);
  held.room.say("你好");
  held.room.rename("Zoë");
  held.company.withdraw({ seq: 42 });
  held.room.amTyping();
  assert.deepEqual(held.sockets[0].sent, Object.values(golden["to the server"]));
});
