// The log on the screen: it follows the end while the reader is there, and keeps still while the reader is not.

import { useEffect, useLayoutEffect } from "../vendor/preact-hooks.js";
import { day } from "../helpers/moments.js";
import { around } from "./around.js";
import { html, memo } from "./html.js";
import { useWords } from "./house.js";
import { lazy } from "./lazy.js";
import { Draft, Message } from "./Message.js";
import { useFollowing } from "./useFollowing.js";
import { useVisible } from "./useVisible.js";

const Beginning = around("Beginning");
const Marker = around("Marker");
const Transfers = around("Transfers");
const TypingWords = around("TypingWords");
const ToLatest = around("ToLatest");
const OnlyBar = lazy("OnlyBar", () => import("./OnlyBar.js"));

export function Log({ room }) {
  const { t, lang } = useWords();
  const rows = room.rows.value;
  const company = room.company.value;
  const only = company?.only.value;
  const log = company?.shown.log ?? room.log;
  const following = useFollowing(rows);
  const { scroller, content, follow } = following;
  const visible = useVisible();
  const atEnd = following.following && !log.detached.value;
  useEffect(() => room.look(atEnd && visible && !only), [room, atEnd, visible, only]);
  useLayoutEffect(() => {
    if (room.atEnd.value) follow();
  }, [room.atEnd.value]);
  return html`
    <div class="log-frame">
      ${only && html`<${OnlyBar} room=${room} />`}
      <div class="log" ref=${scroller} tabindex="0" role="region" aria-label=${t("log.region")}>
        <div class="log-content" ref=${content}>
          <${Beginning} room=${room} following=${following} />
          <div role="log" aria-label=${t("log.name")}>
            <ol class="rows">
              ${rows.map((row) => html`<${Row} key=${row.id} ...${row} lang=${lang} room=${room} named=${Boolean(row.entry) && company?.namesMe(row.entry)} host=${room.rules.host.value} />`)}
            </ol>
          </div>
          ${!only && !log.detached.value && html`<${Transfers} room=${room} />`}
        </div>
      </div>
      <p class="typing"><${TypingWords} room=${room} /></p>
      ${!atEnd && html`<${ToLatest} room=${room} />`}
    </div>
  `;
}

const Row = memo((row) => {
  switch (row.kind) {
    case "day":
      return html`<li class="marker"><span>${day(row.at, Date.now(), row.lang)}</span></li>`;
    case "draft":
      return html`<${Draft} ...${row} />`;
    case "entry":
      return html`<${Message} ...${row} />`;
    default:
      return html`<${Marker} ...${row} />`;
  }
});
