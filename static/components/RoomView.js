// The room's screen: header, log, composer, and the people beside them or in a sheet.

import { useRef } from "../vendor/preact-hooks.js";
import { Banner } from "./Banner.js";
import { Composer } from "./Composer.js";
import { DropArea } from "./DropArea.js";
import { Header } from "./Header.js";
import { html } from "./html.js";
import { Log } from "./Log.js";
import { People } from "./People.js";
import { Sheet } from "./Sheet.js";
import { Title } from "./Title.js";

export function RoomView({ room }) {
  const sheet = useRef(null);
  return html`
    <div class="room">
      <${Title} room=${room} />
      <${Header} room=${room} showPeople=${() => sheet.current.showModal()} />
      <main class="room-main">
        <${Banner} connection=${room.connection} />
        <${Log} room=${room} />
        <${Composer} room=${room} />
      </main>
      <aside class="rail" aria-labelledby="rail-people"><${People} room=${room} heading="rail-people" /></aside>
      <${Sheet} sheet=${sheet} label="sheet-people"><${People} room=${room} heading="sheet-people" /><//>
      <${DropArea} room=${room} />
    </div>
  `;
}
