// What a host may do about somebody: mute, rename, remove; the last is asked twice.

import { useState } from "../../vendor/preact-hooks.js";
import { NAME_MAX_CHARS, tidyName } from "../../helpers/names.js";
import { html } from "../html.js";
import { useWords } from "../house.js";

export function HostTools({ peer, room, close }) {
  const { t } = useWords();
  const [step, go] = useState("choose"); // "choose" | "rename" | "remove"
  const muted = room.rules.muted.value.has(peer.id);
  const done = (wish) => {
    room.company.value.rule(wish);
    close();
  };
  if (step === "rename") return html`<${Rename} peer=${peer} done=${done} />`;
  return html`
    <span class="host-tools">
      <button type="button" class="quiet-button" onClick=${() => done(muted ? { unmute: peer.id } : { mute: peer.id })}>${t(muted ? "person.unmute" : "person.mute")}</button>
      <button type="button" class="quiet-button" onClick=${() => go("rename")}>${t("person.rename")}</button>
      <button type="button" class=${`quiet-button ${step === "remove" ? "asked" : ""}`} onClick=${() => (step === "remove" ? done({ remove: peer.id }) : go("remove"))}>
        ${t(step === "remove" ? "person.removeSure" : "person.remove")}
      </button>
    </span>
  `;
}

/** Emptied, it lets them choose again. */
function Rename({ peer, done }) {
  const { t } = useWords();
  const submit = (event) => {
    event.preventDefault();
    done({ rename: peer.id, name: tidyName(event.target.elements.name.value) });
  };
  return html`
    <form class="host-tools rename-form" onSubmit=${submit}>
      <input name="name" aria-label=${t("person.name", { name: peer.name })} defaultValue=${peer.name} maxlength=${NAME_MAX_CHARS} ref=${(input) => input?.focus()} autocomplete="off" />
      <button type="submit" class="quiet-button">${t("people.renamed")}</button>
    </form>
  `;
}
