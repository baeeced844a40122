// Above the first row: the way to older ones, or where there is nothing at all, what to do about it.

import { useLayoutEffect } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { lazy } from "./lazy.js";
import { usePaging } from "./usePaging.js";

const Empty = lazy("Empty", () => import("./Empty.js"));

export function Beginning({ room, following }) {
  const { t } = useWords();
  const { asking, older } = usePaging(room, following);
  usePointing(room, following);
  const { only, shown } = room.company.value;
  const { transfers, uploads } = room.sending;
  const quiet = !only.value && !room.rows.value.length && !transfers.list.value.length && !uploads.list.value.length;
  return html`
    ${shown.log.hasOlder.value && html`<button type="button" class="quiet-button older" disabled=${asking} onClick=${older}>${t("log.older")}</button>`}
    ${quiet && html`<${Empty} room=${room} />`}
  `;
}

/** Go to the entry that somebody asked for, and point at it. */
function usePointing(room, { content, leave }) {
  const target = room.history.target.value;
  useLayoutEffect(() => {
    if (!target) return;
    for (const row of content.current.querySelectorAll("[data-pointed]")) delete row.dataset.pointed;
    const row = content.current.querySelector(`[data-entry="${target.seq}"]`);
    if (!row) return;
    row.dataset.pointed = "";
    leave(); // before the browser tells that it has scrolled, nothing may pull back to the end
    row.scrollIntoView({ block: "center" });
  }, [target]);
}
