// Names for things that must be unique without asking anyone: drafts, authors.
//
// crypto.randomUUID exists only in a secure context, which http://room.lan is not; getRandomValues exists everywhere.

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"; // 64 signs: 6 bits each

/** A random key of `length` signs (22 signs are 132 bits), well under the wire's 64. */
export function newKey(length = 22) {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => ALPHABET[byte & 63]).join("");
}
