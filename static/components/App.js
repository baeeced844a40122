// The page: the door while nobody has a name, then the room.

import { html } from "./html.js";
import { House } from "./house.js";
import { Join } from "./Join.js";
import { Notices } from "./Notices.js";
import { RoomView } from "./RoomView.js";

export function App({ house, join, remembered }) {
  return html`
    <${House.Provider} value=${house}>
      ${house.room.value ? html`<${RoomView} room=${house.room.value} />` : html`<${Join} join=${join} remembered=${remembered} />`}
      <${Notices} />
    <//>
  `;
}
