// The way in for whoever stands beside you: this page's address, large enough for a camera at the back of a room.

import { qr } from "../helpers/qr.js";
import { isLoopback, pageAddress } from "../helpers/snippets.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { NARROW, useMedia } from "./useMedia.js";
import { useCopy } from "./useCopy.js";

export function Share({ room }) {
  const { view } = useHouse();
  const { t } = useWords();
  const copy = useCopy();
  const narrow = useMedia(NARROW);
  const address = pageAddress(location, room.name);
  const { size, path } = qr(address);
  return html`
    <svg class="qr" viewBox=${`0 0 ${size} ${size}`} role="img" aria-label=${t("share.code", { address })}><path d=${path} /></svg>
    <p class="line share-address">
      <code>${decodeURI(address)}</code>
      <button type="button" class="icon-button" aria-label=${t("copy.address")} title=${t("copy.address")} onClick=${() => copy(address)}><${Icon} name="copy" /></button>
    </p>
    ${isLoopback(location.hostname) && html`<p class="hint bad">${t("share.loopback")}</p>`}
    <button type="button" class="quiet-button" onClick=${() => view.show("connect", narrow)}><${Icon} name="terminal" />${t("share.more")}</button>
  `;
}
