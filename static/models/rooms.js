// The other rooms of this server, and how much was said in them since this browser was last there.

import { signal } from "../vendor/signals-core.js";

export const UNREAD_MAX = 99;

export class RoomList {
  list = signal([]); // {name, seats, unread}: unread is null where this browser has never been
  #platform;
  #seen;

  /** `seen(name)` answers the {epoch, seq} up to which this browser has read a room, or null. */
  constructor(platform, seen) {
    this.#platform = platform;
    this.#seen = seen;
  }

  async refresh() {
    const rooms = await this.#platform.get("/rooms");
    this.list.value = await Promise.all(rooms.map((room) => this.#counted(room)));
  }

  /** Numbers are one series for all rooms, so they cannot be subtracted: the few unread entries are counted. */
  async #counted({ name, last_seq: last, seats }) {
    const seen = this.#seen(name);
    if (!seen) return { name, seats, unread: null };
    if (seen.seq >= last) return { name, seats, unread: 0 };
    const path = `/r/${encodeURIComponent(name)}/entries?after=${seen.seq}&limit=${UNREAD_MAX + 1}`;
    const { epoch, entries } = await this.#platform.get(path);
    return { name, seats, unread: epoch === seen.epoch ? entries.length : null };
  }
}
