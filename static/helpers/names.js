// What a name may be, and the initial and tone that stand for it.

export const NAME_MAX_CHARS = 32;
const TONES = 8; // as many as styles/tokens.css has --tone-N

/** What the server will make of a typed name, as far as we can foresee: brackets and control signs go. */
export function tidyName(name) {
  const plain = name.normalize("NFC").replace(/[[\]\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").trim();
  return Array.from(plain).slice(0, NAME_MAX_CHARS).join("").trim();
}

/** The sign in a person's circle: for `udp-50123` the last digits tell devices apart better than a "U" would. */
export function initialOf(name) {
  const device = /^(?:udp|tcp)-\d*?(\d{1,2})$/.exec(name);
  if (device) return device[1];
  return (Array.from(name.trim())[0] ?? "?").toLocaleUpperCase();
}

/** Always the same one of eight tones for the same name (FNV-1a, which spreads short strings well). */
export function toneOf(name) {
  let hash = 0x811c9dc5;
  for (const sign of name) hash = Math.imul(hash ^ sign.codePointAt(0), 0x01000193);
  return (hash >>> 0) % TONES;
}
