// Taking back what I said, or as a host what others did: pressed once it asks, pressed again it does, so that no slip of a finger is enough.

import { useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";

export function Withdraw({ entry, room, mine }) {
  const { t } = useWords();
  const [asked, ask] = useState(false);
  const button = useRef(null);
  const label = labelOf(t, entry, mine);
  const press = () => (asked ? room.withdraw(entry) : ask(true));

  // The row goes, and with it the place of whoever came by keyboard: the log takes it.
  useLayoutEffect(() => () => button.current === document.activeElement && button.current.closest(".log").focus(), []);

  return html`
    <button
      type="button" ref=${button} class=${`icon-button withdraw ${asked ? "asked" : ""}`} title=${label}
      aria-label=${asked ? undefined : label} onClick=${press} onBlur=${() => ask(false)}
    >
      <${Icon} name="withdraw" />${asked && t(mine ? "message.withdrawSure" : "message.deleteSure")}
    </button>
  `;
}

function labelOf(t, { file, from }, mine) {
  if (!mine) return t("message.delete", { name: from.name });
  return file ? t("file.withdraw", { name: file.name }) : t("message.withdraw");
}
