// What does not fit beside the log on a phone: a sheet from below. The browser's own dialog keeps focus and Escape right.

import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";

export function Sheet({ sheet, label, children }) {
  const { t } = useWords();
  // A click on the dialog itself, and not on something in it, is a click on the backdrop.
  const closeOutside = (event) => event.target === sheet.current && sheet.current.close();
  return html`
    <dialog class="sheet" ref=${sheet} aria-labelledby=${label} onClick=${closeOutside}>
      <div class="sheet-body">
        <button type="button" class="icon-button sheet-close" aria-label=${t("sheet.close")} onClick=${() => sheet.current.close()}>
          <${Icon} name="close" />
        </button>
        ${children}
      </div>
    </dialog>
  `;
}
