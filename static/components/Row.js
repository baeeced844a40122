// One row of the log, whatever kind it is.

import { day } from "../helpers/format.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { memo } from "./memo.js";
import { Draft, Message } from "./Message.js";

export const Row = memo(({ kind, at, gap, name, count, entry, draft, first, mine, lang, room }) => {
  switch (kind) {
    case "day":
      return html`<li class="marker"><span>${day(at, Date.now(), lang)}</span></li>`;
    case "gap":
      return html`<${Gap} gap=${gap} />`;
    case "withdrawal":
      return html`<${Withdrawal} name=${name} count=${count} />`;
    case "draft":
      return html`<${Draft} draft=${draft} first=${first} room=${room} />`;
    default:
      return html`<${Message} entry=${entry} first=${first} mine=${mine} lang=${lang} room=${room} />`;
  }
});

function Gap({ gap }) {
  const { t } = useWords();
  return html`<li class="marker gap"><span>${t("log.gap", { from: gap.from, to: gap.to })}</span></li>`;
}

/** In the place of nothing that can be shown: why a number is missing. */
function Withdrawal({ name, count }) {
  const { t } = useWords();
  return html`<li class="withdrawal">${t("log.withdrew", { name, n: count })}</li>`;
}
