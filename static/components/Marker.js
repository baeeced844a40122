// The rows of the log that are no message: what is missing, what was taken back, what a host did, what is new, who came and went.

import { deedWords } from "../helpers/deeds.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";

export function Marker({ kind, gap, from, whose, count, rule, marker, line }) {
  switch (kind) {
    case "gap":
      return html`<${Gap} gap=${gap} />`;
    case "withdrawal":
      return html`<${Withdrawal} from=${from} whose=${whose} count=${count} />`;
    case "rule":
      return html`<${Deed} entry=${rule} />`;
    case "unread":
      return html`<${Unread} marker=${marker} />`;
    default:
      return html`<${Comings} line=${line} />`;
  }
}

function Gap({ gap }) {
  const { t } = useWords();
  return html`<li class="marker gap"><span>${t("log.gap", { from: gap.from, to: gap.to })}</span></li>`;
}

/** In the place of nothing that can be shown: why a number is missing. */
function Withdrawal({ from, whose, count }) {
  const { aliases } = useHouse();
  const { t } = useWords();
  const name = aliases.nameOf(from);
  const words = whose ? t("log.removed", { host: name, name: aliases.nameOf(whose), n: count }) : t("log.withdrew", { name, n: count });
  return html`<li class="withdrawal">${words}</li>`;
}

function Deed({ entry }) {
  const { aliases } = useHouse();
  const { t } = useWords();
  return html`<li class="withdrawal deed" data-entry=${entry.seq}><bdi>${deedWords(t, entry, (peer) => aliases.nameOf(peer))}</bdi></li>`;
}

function Unread({ marker: { count, missed } }) {
  const { t } = useWords();
  return html`<li class="marker unread"><span>${t(missed ? "log.missed" : "log.unread", { n: count })}</span></li>`;
}

const NAMED_MAX = 4; // of a whole class that comes in, the number is enough

function Comings({ line }) {
  const { t, lang } = useWords();
  const words = (key, names) => {
    if (!names.length) return "";
    const others = names.length - NAMED_MAX;
    const shown = others > 1 ? [...names.slice(0, NAMED_MAX), t("comings.others", { n: others })] : names;
    return t(key, { n: names.length, names: new Intl.ListFormat(lang).format(shown) });
  };
  return html`<li class="comings">${[words("comings.joined", line.joined), words("comings.left", line.left)].filter(Boolean).join(" · ")}</li>`;
}
