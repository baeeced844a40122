// A window above the room: in the middle of a desk, from below on a phone. The browser's own dialog keeps focus and
// Escape right.

import { useLayoutEffect, useRef } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";

/** `close()` is called when it has closed, by whatever means; whoever opened it then takes it away. */
export function Sheet({ title, wide = false, close, children }) {
  const { t } = useWords();
  const dialog = useRef(null);
  useLayoutEffect(() => void (dialog.current.open || dialog.current.showModal()), [title]);
  const shut = () => dialog.current.close();
  // The browser tells a moment later that it has closed: by then the next key may have opened it for something else.
  // Or it may be gone.
  const closed = () => dialog.current?.open === false && close();
  // A click on the dialog itself, and not on something in it, is a click on the backdrop.
  const closeOutside = (event) => event.target === dialog.current && shut();
  return html`
    <dialog class=${`sheet ${wide ? "wide" : ""}`} ref=${dialog} aria-label=${title} onClick=${closeOutside} onClose=${closed}>
      <div class="sheet-body">
        <div class="sheet-head">
          <h2><bdi>${title}</bdi></h2>
          <button type="button" class="icon-button sheet-close" aria-label=${t("sheet.close")} onClick=${shut}><${Icon} name="close" /></button>
        </div>
        ${children}
      </div>
    </dialog>
  `;
}
