// Taking back what I said, or as a host what others did: pressed once it asks, pressed again it does, so that no slip of a finger is enough.

import { useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";

/** `home` takes the place of whoever came by keyboard, when what holds the button has gone. */
export function Withdraw({ entry, room, mine, home }) {
  const { aliases } = useHouse();
  const { t } = useWords();
  const [asked, ask] = useState(false);
  const button = useRef(null);
  const label = labelOf(t, entry, mine, aliases);
  const press = () => (asked ? room.company.value.withdraw(entry) : ask(true));

  useLayoutEffect(() => () => button.current === document.activeElement && button.current.closest(home)?.focus(), []);

  return html`
    <button
      type="button" ref=${button} class=${`icon-button withdraw ${asked ? "asked" : ""}`} title=${label}
      aria-label=${asked ? undefined : label} onClick=${press} onBlur=${() => ask(false)}
    >
      <${Icon} name="withdraw" />${asked && t(mine ? "message.withdrawSure" : "message.deleteSure")}
    </button>
  `;
}

function labelOf(t, { file, from }, mine, aliases) {
  if (!mine) return t("message.delete", { name: aliases.nameOf(from) });
  return file ? t("file.withdraw", { name: file.name }) : t("message.withdraw");
}
