// From entries and drafts to what is drawn: markers of days, gaps, withdrawals and rules, and who gets a heading of their own.

import { dayNumber } from "./moments.js";

export const GROUP_MS = 2 * 60_000; // the same sender within two minutes speaks on

/**
 * One flat list of rows, in order, each with an `id` that stays the same while the thing does: a draft that comes
 * back as an entry keeps its row, since both are known by their key.
 */
export function rowsOf(items, drafts, isMine) {
  const rows = [];
  let day = null;
  let before = null; // the row above, when it can be spoken on from

  const dawn = (id, at) => {
    if (dayNumber(at) === day) return;
    day = dayNumber(at);
    rows.push({ kind: "day", id: `day-${id}`, at });
    before = null;
  };
  const add = (row, at, speaker) => {
    dawn(row.id, at);
    const first = !before || before.speaker !== speaker || Math.abs(at - before.at) > GROUP_MS;
    rows.push({ ...row, first });
    before = { speaker, at };
  };

  for (const item of items) {
    if (item.type === "gap") {
      rows.push({ kind: "gap", id: `gap-${item.from}-${item.to}`, gap: item });
      before = null;
      continue;
    }
    if (item.type === "withdraw") {
      dawn(`seq-${item.seq}`, item.at);
      const above = rows.at(-1);
      if (above?.kind === "withdrawal" && isAlike(above, item)) above.count += 1;
      else rows.push({ kind: "withdrawal", id: `seq-${item.seq}`, from: item.from, whose: item.whose, count: 1 });
      before = null;
      continue;
    }
    if (item.type === "rule") {
      dawn(`seq-${item.seq}`, item.at);
      rows.push({ kind: "rule", id: `seq-${item.seq}`, rule: item });
      before = null;
      continue;
    }
    const mine = isMine(item);
    const id = mine ? `key-${item.key}` : `seq-${item.seq}`;
    add({ kind: "entry", id, entry: item, mine }, item.at, mine ? "me" : speakerOf(item.from));
  }
  for (const draft of drafts) add({ kind: "draft", id: `key-${draft.key}`, draft }, draft.at, "me");
  return rows;
}

const isAlike = (one, other) => one.from.name === other.from.name && one.whose?.name === other.whose?.name;

/** Who sends by `curl` is another author each time; a name is all that holds its messages together. */
const speakerOf = ({ id, name, via }) => JSON.stringify([via === "http" ? null : id, name, via]);
