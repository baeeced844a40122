// Somebody who has spoken, in a window of their own: from where, when last, and what may be done about them.

import { ago } from "../helpers/format.js";
import { Badge } from "./Badge.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { PersonTools } from "./PersonTools.js";
import { useCopy } from "./useCopy.js";
import { useNow } from "./useNow.js";

export function PersonSheet({ room, close }) {
  const { aliases, view } = useHouse();
  const { t, lang } = useWords();
  const copy = useCopy();
  const now = useNow(5000);
  const peer = view.person.value;
  const spoke = room.peers.spoke.value.get(peer.id);
  return html`
    <div class="person-sheet">
      <p class="person-from">
        ${aliases.of(peer) && html`<bdi>${peer.name}</bdi>`}
        <${Badge} via=${peer.via} />
        <button type="button" class="quiet-button mono" aria-label=${t("copy.what", { what: peer.addr })} onClick=${() => copy(peer.addr)}>${peer.addr}<${Icon} name="copy" /></button>
        ${spoke && html`<span>${t("people.spoke", { ago: ago(spoke, now, lang) })}</span>`}
      </p>
      <${PersonTools} peer=${peer} room=${room} close=${close} />
    </div>
  `;
}
