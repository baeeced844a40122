// In the header, beside the room's name: what it is about, the address to give to a neighbour, and the switches.

import { useEffect } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { LanguageSwitch, ThemeSwitch } from "./Switches.js";
import { Topic } from "./Topic.js";
import { useCopy } from "./useCopy.js";
import { NARROW, useMedia } from "./useMedia.js";
import { useVisible } from "./useVisible.js";

const ROOMS_EVERY_MS = 30_000;

export function HeaderTools({ room }) {
  const { view } = useHouse();
  const { t } = useWords();
  const copy = useCopy();
  const narrow = useMedia(NARROW);
  const show = (tab) => view.show(tab, narrow);
  const count = room.peers.count.value;
  return html`
    <${Topic} room=${room} />
    <button type="button" class="quiet-button address" title=${t("copy.address")} aria-label=${`${t("copy.address")}: ${location.host}`} onClick=${() => copy(location.href.replace(/[?#].*/, ""))}>
      <span class="mono">${location.host}</span><${Icon} name="copy" />
    </button>
    <div class="room-switches">
      <span class="wide-switches"><${LanguageSwitch} /><${ThemeSwitch} /></span>
      <button type="button" class="icon-button share-button" aria-label=${t("share.title")} title=${t("share.title")} onClick=${() => view.open("share")}><${Icon} name="share" /></button>
      <button type="button" class="icon-button" aria-label=${t("search.open")} title=${t("search.open")} onClick=${() => show("search")}><${Icon} name="search" /></button>
      <button type="button" class="icon-button people-button" aria-label=${t("people.show", { n: count })} onClick=${() => show("people")}>
        <${Icon} name="people" /><span class="people-number" aria-hidden="true">${count}</span>
      </button>
      <button type="button" class="icon-button" aria-label=${t("menu.open")} title=${t("menu.open")} onClick=${() => view.open("menu")}><${Icon} name="menu" /></button>
    </div>
  `;
}

/** On the room's own name, a dot: something was said in another one. */
export function RoomNews({ room }) {
  const { rooms } = useHouse();
  const { t } = useWords();
  const visible = useVisible();
  useEffect(() => {
    if (!visible) return undefined;
    const look = () => rooms.refresh().catch(() => {}); // the banner says already that nobody answers
    look();
    const timer = setInterval(look, ROOMS_EVERY_MS);
    return () => clearInterval(timer);
  }, [visible, rooms]);
  const unread = rooms.list.value.some(({ name, unread: count }) => name !== room.name && count > 0);
  return unread && html`<span class="room-news"><span class="only-read">${t("rooms.news")}</span></span>`;
}
