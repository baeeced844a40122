// A room as a text to keep, and the people in it as a table: plain files that outlive the page.

const two = (number) => String(number).padStart(2, "0");

/** "2026-11-24 11:34:05" on the reader's clock: sorts by itself. */
export function stamp(at) {
  const date = new Date(at);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

/**
 * One line an entry; further lines of a text are set in, so that no text can pass for another entry. `deed(entry)` says
 * what a host did.
 */
export function transcript(entries, origin, deed) {
  const line = (entry) => (entry.type === "rule" ? `* ${deed(entry)}` : `[${entry.from.name}] ${said(entry, origin)}`);
  return entries.map((entry) => `${stamp(entry.at)} ${line(entry)}\n`).join("");
}

function said({ type, text, file, withdraws }, origin) {
  if (type === "withdraw") return `← ${withdraws}`;
  if (type === "file") return `→ ${file.name} (${file.size} B) ${origin}${file.url}`;
  return (text ?? "").replaceAll("\n", "\n    ");
}

/** Who was here, as a table that a spreadsheet opens; `sitting` are those who have said nothing. */
export function roster(entries, sitting = []) {
  const people = new Map();
  const meet = ({ name, via, addr }) => {
    const key = JSON.stringify([name, via]);
    if (!people.has(key)) people.set(key, { name, via, addr, first: null, last: null, texts: 0, files: 0 });
    return people.get(key);
  };
  for (const { from, at, type } of entries) {
    const person = meet(from);
    person.first ??= at;
    person.last = at;
    if (type === "withdraw" || type === "rule") continue;
    if (type === "file") person.files += 1;
    else person.texts += 1;
  }
  sitting.forEach(meet);
  const rows = Array.from(people.values(), ({ name, via, addr, first, last, texts, files }) => [
    name, via, addr, first === null ? "" : stamp(first), last === null ? "" : stamp(last), texts, files,
  ]);
  return [["name", "via", "address", "first", "last", "texts", "files"], ...rows].map(row).join("");
}

const row = (cells) => `${cells.map(cell).join(",")}\r\n`;

/** A name that begins like a formula would be one in a spreadsheet. */
function cell(value) {
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
