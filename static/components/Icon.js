// The page's few drawings, as lines that take the colour of the text around them.

import { html } from "./html.js";

/** What stands on the first screen; components/drawings.js adds the others. */
export const PATHS = {
  attach: "M20 11.5 12.2 19.3a5 5 0 0 1-7.1-7.1l8.3-8.3a3.3 3.3 0 0 1 4.7 4.7l-8.2 8.2a1.7 1.7 0 0 1-2.4-2.4l7.2-7.2",
  send: "M5 12h13M12.5 6l6 6-6 6",
  more: "M6.5 9.5 12 15l5.5-5.5",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
