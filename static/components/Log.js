// The log on the screen: it follows the end while the reader is there, and keeps still while the reader is not.

import { useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { Empty } from "./Empty.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { Row } from "./Row.js";
import { Transfers } from "./Transfers.js";
import { TypingLine } from "./TypingLine.js";
import { useFollowing } from "./useFollowing.js";

export function Log({ room }) {
  const { t, lang } = useWords();
  const rows = room.rows.value;
  const { scroller, content, following, follow, hold } = useFollowing(rows);
  const quiet = !rows.length && !room.transfers.list.value.length && !room.uploads.list.value.length;
  return html`
    <div class="log-frame">
      <div class="log" ref=${scroller} tabindex="0" role="region" aria-label=${t("log.region")}>
        <div class="log-content" ref=${content}>
          ${room.log.hasOlder.value && html`<${Older} room=${room} hold=${hold} />`}
          ${quiet && html`<${Empty} room=${room} />`}
          <div role="log" aria-label=${t("log.name")}>
            <ol class="rows">
              ${rows.map((row) => html`<${Row} key=${row.id} ...${row} lang=${lang} room=${room} />`)}
            </ol>
          </div>
          <${Transfers} room=${room} />
        </div>
      </div>
      <${TypingLine} typing=${room.typing} />
      <${ToLatest} room=${room} following=${following} follow=${follow} />
    </div>
  `;
}

function Older({ room, hold }) {
  const { notices } = useHouse();
  const { t } = useWords();
  const [asking, ask] = useState(false);
  const more = async () => {
    ask(true);
    try {
      await hold(() => room.showOlder());
    } catch {
      notices.tell(t("error.unreachable"), "bad");
    } finally {
      ask(false);
    }
  };
  return html`<button type="button" class="quiet-button older" disabled=${asking} onClick=${more}>${t("log.older")}</button>`;
}

/** "3 new", and the way back to the end. */
function ToLatest({ room, following, follow }) {
  const { t } = useWords();
  const arrivals = room.arrivals.value;
  const away = !following || room.log.detached.value;
  const left = useRef(arrivals);
  useLayoutEffect(() => {
    if (!away) left.current = arrivals;
  });
  if (!away) return null;
  const fresh = arrivals - left.current;
  const go = async () => {
    if (room.log.detached.value) await room.follow();
    follow();
  };
  return html`
    <button type="button" class="to-latest" onClick=${go}>
      <${Icon} name="down" />${fresh ? t("log.fresh", { n: fresh }) : t("log.latest")}
    </button>
  `;
}
