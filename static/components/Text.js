// A message's words with their bit of markdown: the plain tree from helpers/markdown.js becomes elements.

import { useState } from "../vendor/preact-hooks.js";
import { h } from "../vendor/preact.js";
import { signal } from "../vendor/signals.js";
import { asTyped, isLong, isPlain } from "../helpers/plain.js";
import { html, memo } from "./html.js";
import { useWords } from "./house.js";

const markdown = signal(null); // (text) => tree, once the first text has asked for it

export const Text = memo(({ text }) => {
  const words = html`<div class="text" dir="auto">${read(text).map(elementOf)}</div>`;
  return isLong(text) ? html`<${Folded}>${words}<//>` : words;
});

function read(text) {
  if (isPlain(text)) return asTyped(text);
  if (markdown.value) return markdown.value(text);
  fetchMarkdown();
  return asTyped(text);
}

async function fetchMarkdown() {
  const module = await import("../helpers/markdown.js").catch(() => null); // out of reach: the next text asks again
  if (module) markdown.value = module.markdown;
}

/** A whole log file that somebody pasted takes a few lines until it is wanted. */
function Folded({ children }) {
  const { t } = useWords();
  const [open, toggle] = useState(false);
  return html`
    <div class=${open ? "unfolded" : "folded"}>${children}</div>
    <button type="button" class="quiet-button fold" aria-expanded=${open} onClick=${() => toggle(!open)}>${open ? t("text.less") : t("text.more")}</button>
  `;
}

function elementOf(node) {
  if (typeof node === "string") return node;
  const children = node.children.map(elementOf);
  switch (node.tag) {
    case "a":
      return h("a", { href: node.href, title: node.href, target: "_blank", rel: "noopener noreferrer" }, children);
    case "ol":
      return h("ol", { start: node.start }, children);
    default:
      return h(node.tag, null, children);
  }
}
