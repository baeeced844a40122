// The room's screen: its name, the log, the composer; and around them what comes after them.

import { useEffect } from "../vendor/preact-hooks.js";
import { around, wordsStand } from "./around.js";
import { Composer } from "./Composer.js";
import { Header } from "./Header.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Log } from "./Log.js";
import { useEarlyFiles } from "./useSendFiles.js";

const Surroundings = around("Surroundings");
const Tidings = around("Tidings");

export function RoomView({ room }) {
  const house = useHouse();
  const answered = room.connection.state.value !== "connecting";
  useEffect(() => {
    if (answered) wordsStand(house);
  }, [answered]);
  useEarlyFiles();
  return html`
    <div class="room">
      <${Header} room=${room} />
      <main class="room-main">
        <${Tidings} room=${room} />
        <${Log} room=${room} />
        <${Writing} room=${room} />
      </main>
      <${Surroundings} room=${room} />
    </div>
  `;
}

/** Who may not speak is told why, in the place where words would be written. */
function Writing({ room }) {
  const { t } = useWords();
  const why = room.rules.silenced.value;
  return why ? html`<p class="composer-shut" role="status">${t(`silenced.${why}`)}</p>` : html`<${Composer} room=${room} />`;
}
