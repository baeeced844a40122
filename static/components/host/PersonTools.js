// What a host may do about somebody: mute, rename, remove; the last is asked twice.

import { useState } from "../../vendor/preact-hooks.js";
import { NAME_MAX_CHARS, tidyName } from "../../helpers/names.js";
import { html } from "../html.js";
import { useWords } from "../house.js";
import { Icon } from "../Icon.js";

export function PersonTools({ peer, room }) {
  const { t } = useWords();
  const [open, toggle] = useState(false);
  const label = t("person.tools", { name: peer.name });
  return html`
    <button type="button" class=${`icon-button person-more ${open ? "turned" : ""}`} aria-expanded=${open} aria-label=${label} title=${label} onClick=${() => toggle(!open)}>
      <${Icon} name="more" />
    </button>
    ${open && html`<${Tools} peer=${peer} room=${room} close=${() => toggle(false)} />`}
  `;
}

function Tools({ peer, room, close }) {
  const { t } = useWords();
  const [step, go] = useState("choose"); // "choose" | "rename" | "remove"
  const muted = room.rules.muted.value.has(peer.id);
  const done = (wish) => {
    room.rule(wish);
    close();
  };
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  };
  if (step === "rename") return html`<${Rename} peer=${peer} done=${done} escape=${escape} />`;
  return html`
    <div class="person-tools" onKeyDown=${escape}>
      <button type="button" class="quiet-button" onClick=${() => done(muted ? { unmute: peer.id } : { mute: peer.id })}>${t(muted ? "person.unmute" : "person.mute")}</button>
      <button type="button" class="quiet-button" onClick=${() => go("rename")}>${t("person.rename")}</button>
      <button type="button" class=${`quiet-button ${step === "remove" ? "asked" : ""}`} onClick=${() => (step === "remove" ? done({ remove: peer.id }) : go("remove"))}>
        ${t(step === "remove" ? "person.removeSure" : "person.remove")}
      </button>
    </div>
  `;
}

/** Emptied, it lets them choose again. */
function Rename({ peer, done, escape }) {
  const { t } = useWords();
  const submit = (event) => {
    event.preventDefault();
    done({ rename: peer.id, name: tidyName(event.target.elements.name.value) });
  };
  return html`
    <form class="person-tools rename-form" onSubmit=${submit} onKeyDown=${escape}>
      <input name="name" aria-label=${t("person.name", { name: peer.name })} defaultValue=${peer.name} maxlength=${NAME_MAX_CHARS} ref=${(input) => input?.focus()} autocomplete="off" />
      <button type="submit" class="quiet-button">${t("people.renamed")}</button>
    </form>
  `;
}
