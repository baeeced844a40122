// What stands between the rows of the log without being in it: the line "new", and who came and went.

/**
 * `rows` from helpers/rows.js with rows of kind "unread" and "comings" among them. `marker` is {after, count, missed}
 * or null; `comings` are lines of models/comings.js. What follows a line begins with a heading of its own.
 */
export function weave(rows, marker, comings) {
  const first = rows.find(({ entry }) => entry)?.entry.seq ?? 0;
  const lines = comings
    .filter(({ after }) => after >= first - 1)
    .map((line) => ({ kind: "comings", id: `comings-${line.after}-${line.at}`, line, after: line.after }));
  if (marker) lines.push({ kind: "unread", id: "unread", marker, after: marker.after });
  if (!lines.length) return rows;

  const woven = [];
  let waiting = lines.sort((a, b) => a.after - b.after);
  for (const row of rows) {
    const due = dueBefore(row, waiting);
    if (!due.length) {
      woven.push(row);
      continue;
    }
    waiting = waiting.filter((line) => !due.includes(line));
    const day = woven.at(-1)?.kind === "day" ? [woven.pop()] : [];
    woven.push(...due, ...day, { ...row, first: true });
  }
  // Nobody needs to be told that nothing is new.
  return [...woven, ...waiting.filter(({ kind }) => kind === "comings")];
}

/** Drafts stand below everything that has happened; the line "new" never stands before one's own words. */
function dueBefore({ kind, entry, rule, mine }, waiting) {
  if (kind === "draft") return waiting.filter((line) => line.kind === "comings");
  if (rule) return waiting.filter((line) => line.kind === "comings" && line.after < rule.seq);
  if (!entry) return [];
  return waiting.filter((line) => line.after < entry.seq && !(line.kind === "unread" && mine));
}
