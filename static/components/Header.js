// The top of the room: its name, the address to give to a neighbour, whether we are connected, and the switches.

import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { LanguageSwitch, ThemeSwitch } from "./Switches.js";
import { useCopy } from "./useCopy.js";

export function Header({ room, showPeople }) {
  const { t } = useWords();
  const copy = useCopy();
  const count = room.peers.count.value;
  return html`
    <header class="room-header">
      <img class="logo" src="/static/favicon.svg" alt="" width="30" height="30" />
      <div class="room-title">
        <h1><bdi>${room.name}</bdi></h1>
        <${ConnectionState} connection=${room.connection} />
      </div>
      <button type="button" class="quiet-button address" title=${t("copy.address")} aria-label=${`${t("copy.address")}: ${location.host}`} onClick=${() => copy(location.href.replace(/[?#].*/, ""))}>
        <span class="mono">${location.host}</span><${Icon} name="copy" />
      </button>
      <div class="room-switches">
        <${LanguageSwitch} />
        <${ThemeSwitch} />
        <button type="button" class="icon-button people-button" aria-label=${t("people.show", { n: count })} onClick=${showPeople}>
          <${Icon} name="people" /><span class="people-number" aria-hidden="true">${count}</span>
        </button>
      </div>
    </header>
  `;
}

function ConnectionState({ connection }) {
  const { t } = useWords();
  const state = connection.state.value;
  return html`<span class=${`connection ${state}`}><span class="connection-dot" aria-hidden="true"></span>${t(`connection.${state}`)}</span>`;
}
