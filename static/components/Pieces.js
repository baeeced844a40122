// Under what is being written: in how many datagrams those who listen by UDP will get it.

import { datagramsOf } from "../helpers/datagrams.js";
import { html } from "./html.js";
import { useWords } from "./house.js";

export function Pieces({ room, text }) {
  const { t } = useWords();
  const { used, max, count } = datagramsOf(room.you.value?.name ?? "", text.trimEnd());
  return count > 1 && html`<span>${t("composer.pieces", { used, max, n: count })}</span>`;
}
