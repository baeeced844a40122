// Above a log that shows one peer alone: whom, and the way back to everybody.

import { Badge } from "./Badge.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";

export function OnlyBar({ room }) {
  const { aliases } = useHouse();
  const { t } = useWords();
  const { peer, here, log } = room.company.value.only.value;
  const none = here.value && !log.items.value.length;
  return html`
    <p class="only-bar" role="status">
      <span class="only-words">${t("only.shown", { name: aliases.nameOf(peer) })} <${Badge} via=${peer.via} addr=${peer.addr} />${none && ` ${t("only.none")}`}</span>
      <button type="button" class="quiet-button" onClick=${() => room.company.value.showAll()}><${Icon} name="close" />${t("only.end")}</button>
    </p>
  `;
}
