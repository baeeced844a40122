// A message's words with their bit of markdown: the plain tree from helpers/markdown.js becomes elements.

import { h } from "../vendor/preact.js";
import { markdown } from "../helpers/markdown.js";
import { html } from "./html.js";
import { memo } from "./memo.js";

export const Text = memo(({ text }) => html`<div class="text" dir="auto">${markdown(text).map(elementOf)}</div>`);

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
