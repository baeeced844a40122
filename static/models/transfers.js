// Everybody's files on their way in, as the server tells them; each ends as an entry, or stays as a failure.

import { signal } from "../vendor/signals-core.js";

const FAILED_MAX = 4; // old failures make room for new ones
const ENDED_MAX = 200;

export class Transfers {
  list = signal([]); // newest last
  #ended = new Set(); // ids that are entries by now: a late tick must not bring their card back

  /** The running transfers, as `hello` gives them; failures already shown stay until they are read. */
  meet(running = []) {
    const ids = new Set(running.map((transfer) => transfer.id));
    const failed = this.list.value.filter((transfer) => transfer.state === "failed" && !ids.has(transfer.id));
    this.list.value = [...failed, ...running];
  }

  /** One signal: the newest word about one transfer. */
  tell(transfer) {
    if (this.#ended.has(transfer.id)) return;
    const known = this.list.value.some((candidate) => candidate.id === transfer.id);
    const list = known
      ? this.list.value.map((candidate) => (candidate.id === transfer.id ? { ...candidate, ...transfer } : candidate))
      : [...this.list.value, transfer];
    const failed = list.filter((candidate) => candidate.state === "failed");
    const tooOld = new Set(failed.slice(0, Math.max(0, failed.length - FAILED_MAX)));
    this.list.value = list.filter((candidate) => !tooOld.has(candidate));
  }

  /** It has become an entry, or its failure has been read. */
  drop(id) {
    this.#ended.add(id);
    if (this.#ended.size > ENDED_MAX) this.#ended.delete(this.#ended.values().next().value);
    if (this.list.value.some((transfer) => transfer.id === id)) {
      this.list.value = this.list.value.filter((transfer) => transfer.id !== id);
    }
  }
}
