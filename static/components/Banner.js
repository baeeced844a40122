// "Reconnecting": said only after a second, because most losses are shorter than that.

import { useEffect, useState } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useWords } from "./house.js";

const PATIENCE_MS = 1000;

export function Banner({ room: { connection, rules } }) {
  const { t } = useWords();
  const open = connection.state.value === "open";
  const [shown, show] = useState(false);
  useEffect(() => {
    if (open) return show(false);
    const timer = setTimeout(() => show(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [open]);
  // A room that got a PIN meanwhile lets no socket in; its page asks for it.
  const again = () => (rules.pin.value ? location.reload() : connection.now());
  return html`
    <div role="status">
      ${shown &&
      !open &&
      html`
        <p class="banner">
          <span>${connection.state.value === "shut" ? t("banner.shut") : t("banner.lost", { n: connection.attempt.value })}</span>
          <button type="button" class="quiet-button" onClick=${again}>${t("banner.now")}</button>
        </p>
      `}
    </div>
  `;
}
