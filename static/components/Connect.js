// How a device or a terminal joins: lines with the very address that the reader came by, ready to copy.

import { snippets } from "../helpers/snippets.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { useCopy } from "./useCopy.js";

export function Connect({ room }) {
  const { page } = useHouse();
  const { t } = useWords();
  const copy = useCopy();
  const all = snippets(location, room.name, room.name === page.defaultRoom);
  return html`
    <p class="panel-note">${t("connect.words")}</p>
    <ul class="snippets">
      ${all.map(({ id, lines }) => {
        const text = lines.join("\n");
        return html`
          <li class="snippet">
            <div class="snippet-head">
              <h2>${t(`connect.${id}`)}</h2>
              <button type="button" class="icon-button" aria-label=${t("copy.what", { what: t(`connect.${id}`) })} title=${t("copy.what", { what: t(`connect.${id}`) })} onClick=${() => copy(text)}><${Icon} name="copy" /></button>
            </div>
            <pre>${text}</pre>
          </li>
        `;
      })}
    </ul>
  `;
}
