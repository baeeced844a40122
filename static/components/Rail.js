// Beside the log, or in a sheet on a phone: people, files, how devices connect, and search, each behind its tab.

import { TABS } from "../models/view.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { lazy } from "./lazy.js";
import { People } from "./People.js";

const PANELS = {
  people: People,
  files: lazy("Files", () => import("./Files.js")),
  connect: lazy("Connect", () => import("./Connect.js")),
  search: lazy("Search", () => import("./Search.js")),
};

export function Rail({ room }) {
  const { view } = useHouse();
  const { t } = useWords();
  const tab = view.tab.value;
  const step = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length];
    view.tab.value = next;
    event.currentTarget.querySelector(`#tab-${next}`).focus();
  };
  return html`
    <div class="tabs" role="tablist" aria-label=${t("rail.label")} onKeyDown=${step}>
      ${TABS.map(
        (name) => html`
          <button
            type="button" role="tab" id=${`tab-${name}`} class="tab" aria-selected=${name === tab} tabindex=${name === tab ? 0 : -1}
            aria-controls="rail-panel" onClick=${() => (view.tab.value = name)}
          >
            ${t(`rail.${name}`)}${name === "people" && html` <span class="people-count">${room.peers.count.value}</span>`}
          </button>
        `,
      )}
    </div>
    <div id="rail-panel" role="tabpanel" aria-labelledby=${`tab-${tab}`} class="panel" tabindex="-1"><${PANELS[tab]} room=${room} /></div>
  `;
}
