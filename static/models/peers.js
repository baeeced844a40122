// Who is in the room: the list while the server tells it, the number always; when each was last heard, and who has gone.

import { signal } from "../vendor/signals-core.js";

const GONE_MAX = 20;
export const QUIET_MS = 30_000; // a sensor that says something every half minute is still there

export class Peers {
  list = signal([]); // in the order they came
  count = signal(0);
  gone = signal([]); // {peer, at}, newest first
  spoke = signal(new Map()); // peer id -> when last heard

  constructor(count = 0) {
    this.count.value = count;
  }

  /** The whole list, as `hello` gives it. */
  meet(peers = [], count = peers.length) {
    this.list.value = peers;
    this.count.value = count;
  }

  /** A merged change. One that bears only a count means that the room is too full to name everybody. */
  change({ joined, left, renamed, count }) {
    if (!joined && !left && !renamed) {
      this.list.value = [];
    } else {
      const byId = new Map(this.list.value.map((peer) => [peer.id, peer]));
      for (const peer of [...(joined ?? []), ...(renamed ?? [])]) byId.set(peer.id, { ...byId.get(peer.id), ...peer });
      for (const id of left ?? []) byId.delete(id);
      this.list.value = [...byId.values()];
    }
    this.count.value = count ?? this.list.value.length;
  }

  /** `[[id, at]]`: they said something, or sent a file. */
  heard(moments) {
    const spoke = new Map(this.spoke.value);
    for (const [id, at] of moments) spoke.set(id, Math.max(at, spoke.get(id) ?? 0));
    this.spoke.value = spoke;
  }

  /** Who left is remembered for a while; who comes back, or another under the same name, is not gone. */
  farewell(left, joined, at) {
    const back = new Set(joined.map(({ name }) => name));
    const all = [...left.map((peer) => ({ peer, at })), ...this.gone.value];
    this.gone.value = all.filter(({ peer }) => !back.has(peer.name)).slice(0, GONE_MAX);
  }

  find(id) {
    return this.list.value.find((peer) => peer.id === id);
  }
}
