// The log on the screen: it follows the end while the reader is there, and keeps still while the reader is not.

import { useEffect, useLayoutEffect, useRef } from "../vendor/preact-hooks.js";
import { Empty } from "./Empty.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { lazy } from "./lazy.js";
import { Row } from "./Row.js";
import { Transfers } from "./Transfers.js";
import { TypingLine } from "./TypingLine.js";
import { useFollowing } from "./useFollowing.js";
import { usePaging } from "./usePaging.js";
import { useVisible } from "./useVisible.js";

const OnlyBar = lazy("OnlyBar", () => import("./OnlyBar.js"));

export function Log({ room }) {
  const { t, lang } = useWords();
  const { log } = room.shown;
  const only = room.only.value;
  const rows = room.rows.value;
  const following = useFollowing(rows);
  const { scroller, content, follow } = following;
  const { asking, older } = usePaging(room, following);
  const visible = useVisible();
  const atEnd = following.following && !log.detached.value;
  useEffect(() => room.look(atEnd && visible && !only), [room, atEnd, visible, only]);
  useLayoutEffect(() => {
    if (room.atEnd.value) follow();
  }, [room.atEnd.value]);
  usePointing(room, following);
  const quiet = !only && !rows.length && !room.transfers.list.value.length && !room.uploads.list.value.length;
  return html`
    <div class="log-frame">
      ${only && html`<${OnlyBar} room=${room} />`}
      <div class="log" ref=${scroller} tabindex="0" role="region" aria-label=${t("log.region")}>
        <div class="log-content" ref=${content}>
          ${log.hasOlder.value && html`<button type="button" class="quiet-button older" disabled=${asking} onClick=${older}>${t("log.older")}</button>`}
          ${quiet && html`<${Empty} room=${room} />`}
          <div role="log" aria-label=${t("log.name")}>
            <ol class="rows">
              ${rows.map((row) => html`<${Row} key=${row.id} ...${row} lang=${lang} room=${room} named=${Boolean(row.entry) && room.namesMe(row.entry)} host=${room.rules.host.value} />`)}
            </ol>
          </div>
          ${!only && !log.detached.value && html`<${Transfers} room=${room} />`}
        </div>
      </div>
      <${TypingLine} typing=${room.typing} />
      ${!atEnd && html`<${ToLatest} room=${room} />`}
    </div>
  `;
}

/** Go to the entry that somebody asked for, and point at it. */
function usePointing(room, { content, show }) {
  const target = room.history.target.value;
  useLayoutEffect(() => {
    if (!target) return;
    for (const row of content.current.querySelectorAll("[data-pointed]")) delete row.dataset.pointed;
    const row = content.current.querySelector(`[data-entry="${target.seq}"]`);
    if (!row) return;
    row.dataset.pointed = "";
    show(row);
  }, [target]);
}

/** "3 new", and the way back to the end. */
function ToLatest({ room }) {
  const { t } = useWords();
  const arrivals = room.arrivals.value;
  const left = useRef(arrivals); // how many there were when the reader left the end
  const fresh = room.only.value ? 0 : arrivals - left.current;
  return html`
    <button type="button" class="to-latest" onClick=${() => room.toEnd()}>
      <${Icon} name="down" />${fresh ? t("log.fresh", { n: fresh }) : t("log.latest")}
    </button>
  `;
}
