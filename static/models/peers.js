// Who is in the room: the list while the server tells it, the number always.

import { signal } from "../vendor/signals-core.js";

export class Peers {
  list = signal([]); // in the order they came
  count = signal(0);

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

  find(id) {
    return this.list.value.find((peer) => peer.id === id);
  }
}
