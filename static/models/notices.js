// Short words to the reader that go away by themselves: "Copied", or why something was refused.

import { signal } from "../vendor/signals-core.js";

const LASTS_MS = 5000;

export class Notices {
  list = signal([]); // {id, words, tone: "calm" | "bad"}
  #platform;
  #next = 0;

  constructor(platform) {
    this.#platform = platform;
  }

  tell(words, tone = "calm") {
    const id = ++this.#next;
    const others = this.list.value.filter((notice) => notice.words !== words);
    this.list.value = [...others, { id, words, tone }].slice(-3);
    this.#platform.later(LASTS_MS, () => this.drop(id));
  }

  drop(id) {
    this.list.value = this.list.value.filter((notice) => notice.id !== id);
  }
}
