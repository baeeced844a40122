// Around the log and the composer: the tab's title, the keyboard's ways, the rail, and the windows that open above.

import { useLayoutEffect } from "../vendor/preact-hooks.js";
import { DropArea } from "./DropArea.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { lazy } from "./lazy.js";
import { Rail } from "./Rail.js";
import { Title } from "./Title.js";
import { NARROW, useMedia } from "./useMedia.js";
import { useWays } from "./useWays.js";

const Windows = lazy("Windows", () => import("./Windows.js"));

export function Surroundings({ room }) {
  const { view } = useHouse();
  const { t } = useWords();
  const narrow = useMedia(NARROW);
  useWays(room, narrow);
  useLayoutEffect(() => void document.documentElement.classList.toggle("big", view.big.value), [view.big.value]);
  return html`
    <${Title} room=${room} />
    ${!narrow && html`<aside class="rail" aria-label=${t("rail.label")}><${Rail} room=${room} /></aside>`}
    ${(view.sheet.value || view.file.value) && html`<${Windows} room=${room} />`}
    <${DropArea} room=${room} />
  `;
}
