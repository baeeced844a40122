// Above the log, what somebody must hear of now: that the room is out of reach, and to a host, who knocks.

import { Banner } from "./Banner.js";
import { html } from "./html.js";
import { useHostParts } from "./useHostParts.js";

export function Tidings({ room }) {
  const parts = useHostParts(room);
  return html`
    <${Banner} room=${room} />
    ${parts && html`<${parts.Knocks} room=${room} />`}
  `;
}
