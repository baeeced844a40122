// Who is here: names, how they came in, from where; the reader first, with a way to be called something else.

import { useState } from "../vendor/preact-hooks.js";
import { NAME_MAX_CHARS, tidyName } from "../helpers/names.js";
import { Avatar } from "./Avatar.js";
import { Badge } from "./Badge.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";

export function People({ room, heading }) {
  const { t, lang } = useWords();
  const you = room.you.value;
  const count = room.peers.count.value;
  const others = room.peers.list.value
    .filter((peer) => peer.id !== you?.id)
    .sort((a, b) => a.name.localeCompare(b.name, lang, { numeric: true }));
  const unnamed = count - others.length - (you ? 1 : 0);
  return html`
    <section class="people">
      <h2 id=${heading}>${t("people.title")} <span class="people-count">${count}</span></h2>
      <ul>
        ${you && html`<${You} key=${you.id} you=${you} room=${room} field=${`${heading}-name`} />`}
        ${others.map((peer) => html`<${Person} key=${peer.id} peer=${peer} />`)}
      </ul>
      ${unnamed > 0 && html`<p class="people-more">${t("people.more", { n: unnamed })}</p>`}
    </section>
  `;
}

function Person({ peer, children }) {
  return html`
    <li class="person">
      <${Avatar} name=${peer.name} />
      <span class="person-words">
        <span class="person-name"><bdi>${peer.name}</bdi>${children}</span>
        <span class="person-from"><${Badge} via=${peer.via} /><span class="mono">${peer.addr}</span></span>
      </span>
    </li>
  `;
}

function You({ you, room, field }) {
  const { nameShelf } = useHouse();
  const { t } = useWords();
  const [editing, edit] = useState(false);
  if (!editing) {
    return html`
      <${Person} peer=${you}>
        <span class="you">${t("people.you")}</span>
        <button type="button" class="icon-button rename" aria-label=${t("people.rename")} title=${t("people.rename")} onClick=${() => edit(true)}>
          <${Icon} name="edit" />
        </button>
      <//>
    `;
  }
  const submit = (event) => {
    event.preventDefault();
    const name = tidyName(event.target.elements[field].value);
    edit(false);
    if (!name || name === you.name) return;
    nameShelf.write(name);
    room.rename(name);
  };
  return html`
    <li class="person">
      <form class="rename-form" onSubmit=${submit} onKeyDown=${(event) => event.key === "Escape" && (event.preventDefault(), edit(false))}>
        <label class="only-read" for=${field}>${t("join.name")}</label>
        <input id=${field} name=${field} value=${you.name} maxlength=${NAME_MAX_CHARS} ref=${(input) => input?.focus()} autocomplete="nickname" />
        <button type="submit" class="quiet-button">${t("people.renamed")}</button>
      </form>
    </li>
  `;
}
