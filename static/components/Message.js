// Somebody's words or file in the log; and mine before the log has them.

import { clock, moment } from "../helpers/moments.js";
import { around, surroundings, useView } from "./around.js";
import { Avatar } from "./Avatar.js";
import { Badge } from "./Badge.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { lazy } from "./lazy.js";
import { Text } from "./Text.js";

const FileCard = lazy("FileCard", () => surroundings().then(() => import("./FileCard.js")));
const Refusal = around("Refusal");
const Withdraw = around("Withdraw");

export function Message({ entry, first, mine, named, lang, room, host }) {
  const { aliases } = useHouse();
  const later = useView();
  const { from, at } = entry;
  const name = aliases.nameOf(from);
  const who = name === from.name ? from.addr : `${from.name} · ${from.addr}`;
  return html`
    <li class=${`message ${mine ? "mine" : ""} ${first ? "first" : ""}${named ? " named" : ""}`} data-entry=${entry.seq}>
      ${!mine && html`<div class="gutter">${first && html`<${Avatar} name=${name} />`}</div>`}
      <div class="message-body">
        ${first &&
        html`
          <div class="message-head">
            ${mine ? html`<bdi class="message-name" title=${who}>${name}</bdi>` : html`<button type="button" class="message-name" title=${who} onClick=${() => later((view) => view.meet(from))}><bdi>${name}</bdi></button>`}
            <${Badge} via=${from.via} addr=${from.addr} />
            <span class="message-address mono">${from.addr}</span>
          </div>
        `}
        <div class="message-line">
          ${entry.type === "file" ? html`<${FileCard} file=${entry.file} />` : html`<div class="bubble"><${Text} text=${entry.text ?? ""} /></div>`}
          <a class="message-time" href=${`#${entry.seq}`} title=${moment(at, lang)}><time datetime=${new Date(at).toISOString()}>${clock(at, lang)}</time></a>
          ${(mine || host) && html`<${Withdraw} entry=${entry} room=${room} mine=${mine} home=".log" />`}
        </div>
      </div>
    </li>
  `;
}

export function Draft({ draft, first, room }) {
  const { t } = useWords();
  const failed = draft.state === "failed";
  return html`
    <li class=${`message mine draft ${draft.state} ${first ? "first" : ""}`}>
      <div class="message-body">
        <div class="message-line">
          <div class="bubble"><${Text} text=${draft.text} /></div>
          <span class="message-time">${failed ? "" : t("draft.waiting")}</span>
        </div>
        ${failed && html`<${Refusal} draft=${draft} room=${room} />`}
      </div>
    </li>
  `;
}
