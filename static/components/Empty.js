// A room where nobody has said anything yet: what to do, in the page and from a terminal.

import { pageAddress } from "../helpers/snippets.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { useCopy } from "./useCopy.js";

export function Empty({ room }) {
  const { page, view } = useHouse();
  const { t } = useWords();
  const copy = useCopy();
  const url = pageAddress(location, room.name);
  const lines = [`curl -d hello ${url}`, `curl -T photo.jpg ${url}/`];
  // A datagram names no room: it lands in the default one.
  if (room.name === page.defaultRoom) lines.push(`nc -u ${location.hostname} ${location.port || 80}`);
  return html`
    <div class="empty">
      <h2>${t("empty.title")}</h2>
      <p>${t("empty.words")}</p>
      <ul>
        ${lines.map(
          (line) => html`
            <li class="line">
              <code>${line}</code>
              <button type="button" class="icon-button" aria-label=${t("copy.line", { line })} onClick=${() => copy(line)}><${Icon} name="copy" /></button>
            </li>
          `,
        )}
      </ul>
      <button type="button" class="quiet-button" onClick=${() => view.open("share")}><${Icon} name="share" />${t("share.title")}</button>
    </div>
  `;
}
