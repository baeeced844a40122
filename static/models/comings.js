// Who came and who went while this page was open, condensed: one line however many did so between two messages.

import { signal } from "../vendor/signals-core.js";

const LINES_MAX = 60;

export class Comings {
  list = signal([]); // {after, at, joined: [name], left: [name]}: after which entry, and when the first of them moved

  /** A change of presence, told in names, while the log stood at entry `after`. */
  note({ joined = [], left = [] }, after, at) {
    if (!joined.length && !left.length) return;
    const last = this.list.value.at(-1);
    const same = last?.after === after ? last : { after, at, joined: [], left: [] };
    const line = condensed(same, joined, left);
    const others = same === last ? this.list.value.slice(0, -1) : this.list.value;
    this.list.value = (line.joined.length || line.left.length ? [...others, line] : others).slice(-LINES_MAX);
  }

  clear() {
    this.list.value = [];
  }
}

/** Who went and came back has not moved, and neither has who only looked in. */
function condensed(line, joined, left) {
  const back = joined.filter((name) => line.left.includes(name));
  const brief = left.filter((name) => line.joined.includes(name));
  return {
    ...line,
    joined: [...new Set([...line.joined, ...joined])].filter((name) => !back.includes(name) && !brief.includes(name)),
    left: [...new Set([...line.left, ...left])].filter((name) => !back.includes(name) && !brief.includes(name)),
  };
}
