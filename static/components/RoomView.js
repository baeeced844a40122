// The room's screen: header, log, composer, the rail beside them, and the windows that open above.

import { useMemo } from "../vendor/preact-hooks.js";
import { Banner } from "./Banner.js";
import { Composer } from "./Composer.js";
import { DropArea } from "./DropArea.js";
import { Header } from "./Header.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { lazy } from "./lazy.js";
import { Log } from "./Log.js";
import { Rail } from "./Rail.js";
import { Title } from "./Title.js";
import { NARROW, useMedia } from "./useMedia.js";
import { useHostParts } from "./useHostParts.js";
import { useKeys } from "./useKeys.js";

const Windows = lazy("Windows", () => import("./Windows.js"));

export function RoomView({ room }) {
  const { view } = useHouse();
  const { t } = useWords();
  const narrow = useMedia(NARROW);
  const wishes = useMemo(
    () => ({
      search: () => view.show("search", narrow),
      tab: (name) => view.show(name, narrow),
      rooms: () => view.open("rooms"),
      help: () => view.open("help"),
      attach: () => document.querySelector(".composer input[type=file]")?.click(),
      end: () => (room.only.value ? room.showAll() : room.toEnd()),
    }),
    [room, view, narrow],
  );
  useKeys(wishes);
  const parts = useHostParts(room);
  // A link to an entry of this page is followed here, also when the address names it already.
  const follow = (event) => {
    const seq = event.target.closest?.("a[href^='#']")?.hash.slice(1);
    if (!seq) return;
    event.preventDefault();
    history.replaceState(null, "", `#${seq}`);
    if (view.sheet.value === "rail") view.close();
    room.history.to(Number(seq));
  };
  return html`
    <div class="room" onClick=${follow}>
      <${Title} room=${room} />
      <${Header} room=${room} show=${wishes.tab} />
      <main class="room-main">
        <${Banner} room=${room} />
        ${parts && html`<${parts.Knocks} room=${room} />`}
        <${Log} room=${room} />
        <${Writing} room=${room} />
      </main>
      ${!narrow && html`<aside class="rail" aria-label=${t("rail.label")}><${Rail} room=${room} /></aside>`}
      ${(view.sheet.value || view.file.value) && html`<${Windows} room=${room} />`}
      <${DropArea} room=${room} />
    </div>
  `;
}

/** Who may not speak is told why, in the place where words would be written. */
function Writing({ room }) {
  const { t } = useWords();
  const why = room.rules.silenced.value;
  return why ? html`<p class="composer-shut" role="status">${t(`silenced.${why}`)}</p>` : html`<${Composer} room=${room} />`;
}
