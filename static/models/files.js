// All files of the room: those of the log, asked for when somebody wants to see them, and those that came since.

import { signal } from "../vendor/signals-core.js";

const PAGE = 100;
export const SORTS = ["newest", "name", "size"];

export class RoomFiles {
  entries = signal([]); // newest first
  more = signal(false);
  state = signal("idle"); // "idle" | "asking" | "done" | "failed"
  #platform;
  #path;

  constructor(platform, path) {
    this.#platform = platform;
    this.#path = path;
  }

  /** The newest, unless they are here already. */
  async open() {
    if (this.state.value === "idle" || this.state.value === "failed") await this.#ask("", []);
  }

  async older() {
    const last = this.entries.value.at(-1);
    if (last) await this.#ask(`&before=${last.seq}`, this.entries.value);
  }

  /** One more has arrived. Before the list was asked for there is nothing to add it to. */
  add(entry) {
    if (this.state.value !== "done" || this.entries.value.some(({ seq }) => seq >= entry.seq)) return;
    this.entries.value = [entry, ...this.entries.value];
  }

  /** One was withdrawn. */
  drop(seq) {
    this.entries.value = this.entries.value.filter((entry) => entry.seq !== seq);
  }

  /** Another log. */
  clear() {
    this.entries.value = [];
    this.more.value = false;
    this.state.value = "idle";
  }

  async #ask(from, known) {
    this.state.value = "asking";
    try {
      const { entries } = await this.#platform.get(`${this.#path}/search?type=file&limit=${PAGE}${from}`);
      this.entries.value = [...known, ...entries.reverse()];
      this.more.value = entries.length === PAGE;
      this.state.value = "done";
    } catch {
      this.state.value = "failed";
    }
  }
}
