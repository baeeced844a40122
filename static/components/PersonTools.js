// What anybody may do about somebody: speak to, read alone, and for a device a name of one's own; hosts may do more.

import { useState } from "../vendor/preact-hooks.js";
import { NAME_MAX_CHARS, tidyName } from "../helpers/names.js";
import { isDevice } from "../models/aliases.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { useHostParts } from "./useHostParts.js";

export function PersonTools({ peer, room, close }) {
  const { view } = useHouse();
  const { t } = useWords();
  const mention = useMention();
  const parts = useHostParts(room);
  const [naming, name] = useState(false);
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  };
  const only = () => {
    close();
    view.close();
    room.company.value.showOnly(peer);
  };
  const present = Boolean(room.peers.find(peer.id)); // in a crowd nobody is told of
  const hears = (present || peer.via === "web") && !room.rules.silenced.value;
  if (naming) return html`<${Alias} peer=${peer} close=${close} escape=${escape} />`;
  return html`
    <div class="person-tools" role="group" aria-label=${t("person.tools", { name: peer.name })} onKeyDown=${escape}>
      ${hears && html`<button type="button" class="quiet-button" onClick=${() => (close(), mention(peer))}>${t(isDevice(peer) ? "person.reply" : "person.mention")}</button>`}
      <button type="button" class="quiet-button" onClick=${only}>${t("person.only")}</button>
      ${isDevice(peer) && html`<button type="button" class="quiet-button" onClick=${() => name(true)}>${t("person.alias")}</button>`}
      ${parts && present && html`<${parts.HostTools} peer=${peer} room=${room} close=${close} />`}
      ${hears && isDevice(peer) && html`<p class="person-note">${t("person.hears")}</p>`}
    </div>
  `;
}

/** Emptied, it goes by its own name again. */
function Alias({ peer, close, escape }) {
  const { aliases } = useHouse();
  const { t } = useWords();
  const submit = (event) => {
    event.preventDefault();
    aliases.call(peer, tidyName(event.target.elements.alias.value));
    close();
  };
  return html`
    <form class="person-tools rename-form" onSubmit=${submit} onKeyDown=${escape}>
      <input name="alias" aria-label=${t("person.aliasOf", { name: peer.name })} defaultValue=${aliases.of(peer) ?? ""} placeholder=${peer.name} maxlength=${NAME_MAX_CHARS} ref=${(input) => input?.focus()} autocomplete="off" />
      <button type="submit" class="quiet-button">${t("people.renamed")}</button>
      <p class="person-note">${t("person.aliasNote")}</p>
    </form>
  `;
}

/** The name that everybody knows goes into what is being written, and the reader goes on writing. */
function useMention() {
  const { composer, view } = useHouse();
  return ({ name }) => {
    const begun = composer.value;
    composer.value = `${begun}${/\S$/.test(begun) ? " " : ""}@${name} `;
    view.close();
    requestAnimationFrame(() => {
      const area = document.querySelector(".composer textarea");
      area?.focus();
      area?.setSelectionRange(area.value.length, area.value.length);
    });
  };
}
