// All rooms of this server with what is new in them, and a field that finds one or makes one.

import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { UNREAD_MAX } from "../models/rooms.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";

const NAME = /^[\p{L}\p{M}\p{N}_-]{1,64}$/u; // what the server takes

export function Rooms({ room }) {
  const { rooms, page } = useHouse();
  const { t } = useWords();
  const [typed, type] = useState("");
  const field = useRef(null);
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current.focus(); // a finger would be met by a keyboard instead of the list
    rooms.refresh().catch(() => {});
  }, [rooms]);
  const known = new Map([room.name, page.defaultRoom].map((name) => [name, { name, seats: 0, unread: 0 }]));
  for (const one of rooms.list.value) known.set(one.name, one);
  const wanted = typed.trim().normalize("NFC");
  const found = [...known.values()].filter(({ name }) => name.toLocaleLowerCase().includes(wanted.toLocaleLowerCase()));
  const sorted = found.sort((a, b) => (b.unread ?? 0) - (a.unread ?? 0) || a.name.localeCompare(b.name));
  const fits = NAME.test(wanted);
  const enter = (event) => {
    event.preventDefault();
    const exact = known.has(wanted) ? wanted : sorted.length === 1 ? sorted[0].name : wanted;
    if (NAME.test(exact)) location.assign(addressOf(exact));
  };
  return html`
    <form class="rooms-form" onSubmit=${enter}>
      <label class="only-read" for="rooms-name">${t("rooms.name")}</label>
      <input id="rooms-name" ref=${field} value=${typed} placeholder=${t("rooms.name")} maxlength="64" autocomplete="off" spellcheck="false" onInput=${(event) => type(event.target.value)} />
      <button type="submit" class="main-button" disabled=${!fits && sorted.length !== 1}>${known.has(wanted) || !fits ? t("rooms.enter") : t("rooms.make")}</button>
    </form>
    ${wanted && !fits && !sorted.length && html`<p class="hint bad">${t("error.bad_room")}</p>`}
    <ul class="rooms">${sorted.map((one) => html`<${RoomLink} key=${one.name} one=${one} here=${one.name === room.name} />`)}</ul>
  `;
}

function RoomLink({ one: { name, seats, unread }, here }) {
  const { t } = useWords();
  return html`
    <li>
      <a class="room-link" href=${addressOf(name)} aria-current=${here ? "page" : undefined}>
        <bdi class="room-link-name">${name}</bdi>
        <span class="room-link-note">${seats ? t("people.count", { n: seats }) : ""}</span>
        ${unread > 0 && !here && html`<span class="unread-count" title=${t("log.unread", { n: unread })}>${unread > UNREAD_MAX ? `${UNREAD_MAX}+` : unread}</span>`}
      </a>
    </li>
  `;
}

const addressOf = (name) => `/r/${encodeURIComponent(name)}`;
