// Is somebody's name in this text? Not as a part of a longer word, except where words have no ends, as in Chinese.

const LETTER = /[\p{L}\p{N}_]/u;
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

export function mentions(text, name) {
  if (!text || !name) return false;
  const here = text.toLocaleLowerCase();
  const who = name.toLocaleLowerCase();
  for (let at = here.indexOf(who); at !== -1; at = here.indexOf(who, at + 1)) {
    if (ends(here[at - 1], who[0]) && ends(here[at + who.length], who.at(-1))) return true;
  }
  return false;
}

/** Whether a word ends between what stands outside the name and the name's own outermost sign. */
const ends = (outside, edge) => !outside || !LETTER.test(outside) || SPACELESS.test(outside) || SPACELESS.test(edge);
