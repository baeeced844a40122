// The windows above the room: at most one of them is open, and a file that is looked at.

import { Help } from "./Help.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Menu } from "./Menu.js";
import { PasteName } from "./PasteName.js";
import { PersonSheet } from "./PersonSheet.js";
import { Preview } from "./Preview.js";
import { Rail } from "./Rail.js";
import { Rooms } from "./Rooms.js";
import { Share } from "./Share.js";
import { Sheet } from "./Sheet.js";
import { useHostParts } from "./useHostParts.js";

export function Windows({ room }) {
  const { aliases, view } = useHouse();
  const { t } = useWords();
  const close = () => view.close();
  const parts = useHostParts(room);
  const file = view.file.value;
  if (file) return html`<${Preview} file=${file} close=${() => (view.file.value = null)} />`;
  switch (view.sheet.value) {
    case "rail":
      return html`<${Sheet} title=${room.name} close=${close}><${Rail} room=${room} /><//>`;
    case "rooms":
      return html`<${Sheet} title=${t("rooms.title")} close=${close}><${Rooms} room=${room} /><//>`;
    case "share":
      return html`<${Sheet} title=${t("share.title")} wide close=${close}><${Share} room=${room} /><//>`;
    case "menu":
      return html`<${Sheet} title=${t("menu.title")} close=${close}><${Menu} room=${room} /><//>`;
    case "rules":
      return parts && html`<${Sheet} title=${t("rules.title")} close=${close}><${parts.RoomRules} room=${room} close=${close} /><//>`;
    case "person":
      return html`<${Sheet} title=${aliases.nameOf(view.person.value)} close=${close}><${PersonSheet} room=${room} close=${close} /><//>`;
    case "paste":
      return html`<${Sheet} title=${t("paste.title")} close=${close}><${PasteName} /><//>`;
    case "help":
      return html`<${Sheet} title=${t("help.title")} close=${close}><${Help} /><//>`;
    default:
      return null;
  }
}
