// Who is here: names, how they came in, from where; the reader first, with a way to be called something else.

import { useState } from "../vendor/preact-hooks.js";
import { ago } from "../helpers/format.js";
import { NAME_MAX_CHARS, tidyName } from "../helpers/names.js";
import { QUIET_MS } from "../models/peers.js";
import { Avatar } from "./Avatar.js";
import { Badge } from "./Badge.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { lazy } from "./lazy.js";
import { useNow } from "./useNow.js";

const FADE_MS = 10 * 60_000; // a silent UDP peer leaves after ten minutes (docs/protocols/datagram.md): by then it is faint
const PersonTools = lazy("PersonTools", () => import("./PersonTools.js"));
const FAINTEST = 0.75; // still readable on both grounds

export function People({ room }) {
  const { t, lang } = useWords();
  const now = useNow(5000);
  const you = room.you.value;
  const { count, list, gone } = room.peers;
  const { aliases } = useHouse();
  const others = list.value
    .filter((peer) => peer.id !== you?.id)
    .sort((a, b) => aliases.nameOf(a).localeCompare(aliases.nameOf(b), lang, { numeric: true }));
  const unnamed = count.value - others.length - (you ? 1 : 0);
  const left = gone.value.filter(({ at }) => now - at < FADE_MS);
  return html`
    <section class="people">
      <ul>
        ${you && html`<${You} key=${you.id} you=${you} room=${room} />`}
        ${others.map((peer) => html`<${Person} key=${peer.id} peer=${peer} spoke=${room.peers.spoke.value.get(peer.id)} now=${now} muted=${room.rules.muted.value.has(peer.id)} room=${room} />`)}
      </ul>
      ${unnamed > 0 && html`<p class="people-more">${t("people.more", { n: unnamed })}</p>`}
      ${left.length > 0 &&
      html`
        <h2 class="people-gone">${t("people.gone")}</h2>
        <ul>${left.map(({ peer, at }) => html`<${Gone} key=${peer.id} peer=${peer} at=${at} now=${now} />`)}</ul>
      `}
    </section>
  `;
}

/** UDP says nothing when it goes: a device that is silent fades, and is not said to have left. */
function Person({ peer, spoke, now, room, you = false, muted = false, children }) {
  const { aliases } = useHouse();
  const { t, lang } = useWords();
  const [open, toggle] = useState(false);
  const name = aliases.nameOf(peer);
  const label = t("person.tools", { name });
  const silent = spoke ? now - spoke : 0;
  const quiet = !you && (!spoke || silent > QUIET_MS);
  const faint = peer.via === "udp" && silent > QUIET_MS ? Math.max(FAINTEST, 1 - (silent / FADE_MS) * (1 - FAINTEST)) : 1;
  const state = quiet ? t("people.quiet") : t("people.active");
  return html`
    <li class=${`person ${quiet ? "quiet" : "active"}`} style=${faint < 1 ? { opacity: faint } : {}}>
      <span class="person-circle"><${Avatar} name=${name} /><span class="person-dot" role="img" aria-label=${state} title=${state}></span></span>
      <span class="person-words">
        <span class="person-name"><bdi title=${peer.name}>${name}</bdi>${muted && html`<span class="muted-mark">${t("people.muted")}</span>`}${children}</span>
        <span class="person-from"><${Badge} via=${peer.via} />${name !== peer.name && html`<bdi>${peer.name}</bdi>`}<span class="mono">${peer.addr}</span></span>
        ${spoke && html`<span class="person-spoke">${t("people.spoke", { ago: ago(spoke, now, lang) })}</span>`}
      </span>
      ${!you &&
      html`
        <button type="button" class=${`icon-button person-more ${open ? "turned" : ""}`} aria-expanded=${open} aria-label=${label} title=${label} onClick=${() => toggle(!open)}>
          <${Icon} name="more" />
        </button>
      `}
      ${open && html`<${PersonTools} peer=${peer} room=${room} close=${() => toggle(false)} />`}
    </li>
  `;
}

function Gone({ peer, at, now }) {
  const { aliases } = useHouse();
  const { t, lang } = useWords();
  return html`
    <li class="person gone">
      <${Avatar} name=${aliases.nameOf(peer)} />
      <span class="person-words">
        <span class="person-name"><bdi title=${peer.name}>${aliases.nameOf(peer)}</bdi></span>
        <span class="person-from"><${Badge} via=${peer.via} />${t("people.left", { ago: ago(at, now, lang) })}</span>
      </span>
    </li>
  `;
}

function You({ you, room }) {
  const field = "your-name";
  const { nameShelf } = useHouse();
  const { t } = useWords();
  const [editing, edit] = useState(false);
  if (!editing) {
    return html`
      <${Person} peer=${you} you>
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
