// "Alice is writing", in a place that is kept free for it, so that nothing jumps.

import { html } from "./html.js";
import { useWords } from "./house.js";

export function TypingLine({ typing }) {
  const { t, lang } = useWords();
  const names = typing.names.value;
  const words =
    names.length === 0 ? ""
    : names.length > 3 ? t("typing.many")
    : t("typing.some", { n: names.length, names: new Intl.ListFormat(lang).format(names) });
  return html`<p class="typing">${words}</p>`;
}
