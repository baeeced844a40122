// Markdown, the little of it that a chat needs: text in, a small tree out, and no sign is ever lost.
//
// The tree is plain data (`string` or `{tag, href?, start?, children}`), so it cannot carry markup: whoever draws it
// makes elements from the eleven tags below and from nothing else. What we do not draw (raw HTML, headings, tables,
// images, link definitions) comes out as the text that was typed.

import { lexer } from "../vendor/marked.js";

// marked is quadratic on hostile text: 16 KiB of "a." before an "@" took 494 ms, 4 000 signs of it 31 ms (node 20).
const MARKDOWN_MAX_CHARS = 4000;
const DEPTH_MAX = 8; // nobody quotes a quote in a quote eight times; `>>>>…` would exhaust the stack
const TOO_DEEP = /^(?: {0,3}>){40}/m; // whether marked's own stack holds for those is chance
const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i;

/** Text as a list of blocks. */
export function markdown(text) {
  if (text.length > MARKDOWN_MAX_CHARS || TOO_DEEP.test(text)) return [node("p", [text])];
  let tokens;
  try {
    tokens = lexer(text, { gfm: true, breaks: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // nested too deep for the lexer's own stack
    return [node("p", [text])];
  }
  return blocks(tokens, 0);
}

const node = (tag, children, more = {}) => ({ tag, children, ...more });
const asTyped = (token) => node("p", [token.raw.replace(/\n+$/, "")]);

function blocks(tokens, depth) {
  return tokens.filter((token) => token.type !== "space").map((token) => block(token, depth));
}

function block(token, depth) {
  if (depth > DEPTH_MAX) return asTyped(token);
  switch (token.type) {
    case "paragraph":
      return node("p", inlines(token.tokens, depth));
    case "text": // a list item's own line
      return node("span", inlines(token.tokens ?? [{ type: "text", text: token.text }], depth));
    case "code":
      return token.codeBlockStyle === "indented" ? asTyped(token) : node("pre", [token.text]);
    case "blockquote":
      return node("blockquote", blocks(token.tokens, depth + 1));
    case "list":
      return list(token, depth);
    default:
      return asTyped(token);
  }
}

function list(token, depth) {
  // A lone "-" or "1." is somebody's line, not an empty list.
  if (token.items.some((item) => !item.text.trim() || item.task)) return asTyped(token);
  const items = token.items.map((item) => node("li", blocks(item.tokens, depth + 1)));
  return token.ordered ? node("ol", items, { start: token.start }) : node("ul", items);
}

function inlines(tokens, depth) {
  return tokens.flatMap((token) => inline(token, depth));
}

function inline(token, depth) {
  if (depth > DEPTH_MAX) return [token.raw];
  switch (token.type) {
    case "text":
      return token.tokens ? inlines(token.tokens, depth + 1) : [token.text];
    case "escape":
      return [token.text];
    case "br":
      return ["\n"]; // paragraphs keep their line breaks by `white-space: pre-wrap`
    case "codespan":
      return [node("code", [token.text])];
    case "strong":
    case "em":
    case "del":
      return [node(token.type, inlines(token.tokens, depth + 1))];
    case "link":
      return SAFE_LINK.test(token.href) ? [node("a", inlines(token.tokens, depth + 1), { href: token.href })] : [token.raw];
    default:
      return [token.raw];
  }
}
