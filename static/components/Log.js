// The log on the screen: it follows the end while the reader is there, and keeps still while the reader is not.

import { useEffect, useLayoutEffect } from "../vendor/preact-hooks.js";
import { around } from "./around.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Row } from "./Row.js";
import { useFollowing } from "./useFollowing.js";
import { useVisible } from "./useVisible.js";

const Beginning = around("Beginning");
const Transfers = around("Transfers");
const TypingWords = around("TypingWords");
const ToLatest = around("ToLatest");

export function Log({ room }) {
  const { t, lang } = useWords();
  const rows = room.rows.value;
  const company = room.company.value;
  const following = useFollowing(rows);
  const { scroller, content, follow } = following;
  const visible = useVisible();
  const atEnd = following.following && !room.log.detached.value;
  useEffect(() => room.look(atEnd && visible), [room, atEnd, visible]);
  useLayoutEffect(() => {
    if (room.atEnd.value) follow();
  }, [room.atEnd.value]);
  return html`
    <div class="log-frame">
      <div class="log" ref=${scroller} tabindex="0" role="region" aria-label=${t("log.region")}>
        <div class="log-content" ref=${content}>
          <${Beginning} room=${room} following=${following} />
          <div role="log" aria-label=${t("log.name")}>
            <ol class="rows">
              ${rows.map((row) => html`<${Row} key=${row.id} ...${row} lang=${lang} room=${room} named=${Boolean(row.entry) && company?.namesMe(row.entry)} host=${room.rules.host.value} />`)}
            </ol>
          </div>
          ${!room.log.detached.value && html`<${Transfers} room=${room} />`}
        </div>
      </div>
      <p class="typing"><${TypingWords} room=${room} /></p>
      ${!atEnd && html`<${ToLatest} room=${room} />`}
    </div>
  `;
}
