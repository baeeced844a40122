// What a text is before anybody reads it: plain, as most of what people and sensors say is; long; how many bytes.

/** One line without a sign that could mean something. What is not surely plain is read. */
export const isPlain = (text) =>
  /^(?!\s|[-+]|\d+[.)](?:\s|$))[^\\`*_~[\]<>#|@&\n]*$/.test(text) && !/\s$|:\/\/|www\./i.test(text);

/** As helpers/markdown.js would say it: a paragraph. */
export const asTyped = (text) => [{ tag: "p", children: [text] }];

const LONG_CHARS = 1500;
const LONG_LINES = 18;

/** Longer than most want to scroll past. */
export const isLong = (text) => text.length > LONG_CHARS || text.split("\n", LONG_LINES + 1).length > LONG_LINES;

/** UTF-8 bytes, which is how the wire counts a text. */
export const byteLength = (text) => new TextEncoder().encode(text).length;
