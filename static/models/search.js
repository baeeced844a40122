// Looking for what was said: a question as it is typed, the newest answers first, older ones on demand.

import { signal } from "../vendor/signals-core.js";

const PATIENCE_MS = 200; // between two letters; only what is asked last is asked
const PAGE = 30;

export class Search {
  query = signal("");
  found = signal([]); // entries with `hits`, newest first
  state = signal("idle"); // "idle" | "asking" | "done" | "failed"
  more = signal(false);
  #platform;
  #path;
  #timer = null;
  #number = 0; // answers to older questions are dropped

  /** `path` is the room's; `platform.get(path)` answers a promise of JSON. */
  constructor(platform, path) {
    this.#platform = platform;
    this.#path = path;
  }

  type(query) {
    this.query.value = query;
    this.#number += 1;
    this.#platform.forget(this.#timer);
    if (/[\p{L}\p{N}]/u.test(query)) {
      this.state.value = "asking";
      this.#timer = this.#platform.later(PATIENCE_MS, () => this.now());
    } else {
      this.found.value = [];
      this.more.value = false;
      this.state.value = "idle";
    }
  }

  /** Do not wait for another letter. */
  async now() {
    this.#platform.forget(this.#timer);
    await this.#ask("", []);
  }

  async older() {
    const last = this.found.value.at(-1);
    if (last) await this.#ask(`&before=${last.seq}`, this.found.value);
  }

  /** One was withdrawn. */
  drop(seq) {
    this.found.value = this.found.value.filter((entry) => entry.seq !== seq);
  }

  async #ask(from, known) {
    const number = ++this.#number;
    this.state.value = "asking";
    try {
      const query = encodeURIComponent(this.query.value.trim());
      const { entries } = await this.#platform.get(`${this.#path}/search?q=${query}&limit=${PAGE}${from}`);
      if (number !== this.#number) return;
      this.found.value = [...known, ...entries.reverse()];
      this.more.value = entries.length === PAGE;
      this.state.value = "done";
    } catch {
      if (number === this.#number) this.state.value = "failed";
    }
  }
}
