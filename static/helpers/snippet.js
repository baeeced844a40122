// A long text around what was found in it, in pieces: what stands around, and the hits themselves.

const BEFORE = 40;
const LENGTH = 180;

/** `[{text, hit}]`, cut to what can be read at a glance, with an ellipsis where something was left out. */
export function snippet(text, hits) {
  const first = Math.min(...hits.map((hit) => text.indexOf(hit)).filter((at) => at >= 0), text.length);
  const start = first <= BEFORE ? 0 : wordStart(text, first - BEFORE);
  const end = Math.min(text.length, start + LENGTH);
  const pieces = split(text.slice(start, end), hits);
  if (start > 0) pieces.unshift({ text: "…", hit: false });
  if (end < text.length) pieces.push({ text: "…", hit: false });
  return pieces;
}

/** The text at every hit, wherever it stands; the longest counts where two begin together. */
export function split(text, hits) {
  const pattern = hits.filter(Boolean).sort((a, b) => b.length - a.length).map(escaped).join("|");
  if (!pattern) return [{ text, hit: false }];
  const pieces = text.split(new RegExp(`(${pattern})`, "u"));
  return pieces.map((piece, index) => ({ text: piece, hit: index % 2 === 1 })).filter((piece) => piece.text);
}

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** Not in the middle of a word, nor of a sign of two halves, if a space is near. */
function wordStart(text, at) {
  const space = text.indexOf(" ", at);
  if (space !== -1 && space < at + BEFORE / 2) return space + 1;
  return /[\udc00-\udfff]/.test(text[at]) ? at + 1 : at;
}
