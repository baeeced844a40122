// The top of the room: its name, which leads to the others, whether it hears us, and what can be done.

import { around, useView } from "./around.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";

const HeaderTools = around("HeaderTools");
const RoomNews = around("RoomNews");

export function Header({ room }) {
  const later = useView();
  const { t } = useWords();
  const state = room.connection.state.value;
  return html`
    <header class="room-header">
      <img class="logo" src="/static/favicon.svg" alt="" width="30" height="30" />
      <div class="room-title">
        <h1>
          <button type="button" class="room-button" title=${t("rooms.title")} onClick=${() => later((view) => view.open("rooms"))}>
            <bdi>${room.name}</bdi><${Icon} name="more" /><${RoomNews} room=${room} />
          </button>
        </h1>
        <span class=${`connection ${state}`}><span class="connection-dot" aria-hidden="true"></span>${t(`connection.${state}`)}</span>
      </div>
      <${HeaderTools} room=${room} />
    </header>
  `;
}
