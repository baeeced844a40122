// What I have said and the log has not yet confirmed: nothing leaves here until its own key comes back.

import { signal } from "../vendor/signals-core.js";

export class Outbox {
  drafts = signal([]); // {key, text, at, state: "waiting" | "failed", code?, message?}
  #shelf;

  /** `shelf` has `read()` and `write(list)`: where unsent words outlive a closed tab. */
  constructor(shelf) {
    this.#shelf = shelf;
    this.drafts.value = shelf.read() ?? [];
  }

  /** Keep the words under this key; answers the draft to send. */
  say(key, text, at) {
    const draft = { key, text, at, state: "waiting" };
    this.#keep([...this.drafts.value, draft]);
    return draft;
  }

  /** The entry with this key is on disk: the draft has done its work. Answers whether there was one. */
  settle(key) {
    const left = this.drafts.value.filter((draft) => draft.key !== key);
    const found = left.length < this.drafts.value.length;
    if (found) this.#keep(left);
    return found;
  }

  /** The server refused it; the words stay, in red, with the reason. Answers whether there was such a draft. */
  fail(key, code, message) {
    return this.#change(key, { state: "failed", code, message });
  }

  /** Once more, under the same key: should the first have arrived after all, it is stored once. */
  retry(key) {
    this.#change(key, { state: "waiting", code: undefined, message: undefined });
    return this.drafts.value.find((draft) => draft.key === key);
  }

  /** Give up on it; answers the text, so that it can go back into the composer. */
  discard(key) {
    const draft = this.drafts.value.find((candidate) => candidate.key === key);
    this.settle(key);
    return draft?.text ?? "";
  }

  /** What to say again after a reconnect, in the order it was said. */
  waiting() {
    return this.drafts.value.filter((draft) => draft.state === "waiting");
  }

  waits(key) {
    return this.waiting().some((draft) => draft.key === key);
  }

  #change(key, change) {
    const found = this.drafts.value.some((draft) => draft.key === key);
    if (found) this.#keep(this.drafts.value.map((draft) => (draft.key === key ? { ...draft, ...change } : draft)));
    return found;
  }

  #keep(drafts) {
    this.drafts.value = drafts;
    this.#shelf.write(drafts);
  }
}
