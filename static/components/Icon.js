// The page's few drawings, as lines that take the colour of the text around them.

import { html } from "./html.js";

const PATHS = {
  attach: "M20 11.5 12.2 19.3a5 5 0 0 1-7.1-7.1l8.3-8.3a3.3 3.3 0 0 1 4.7 4.7l-8.2 8.2a1.7 1.7 0 0 1-2.4-2.4l7.2-7.2",
  send: "M5 12h13M12.5 6l6 6-6 6",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.4c2.1.8 3.5 2.8 3.5 5.6",
  auto: "M12 4a8 8 0 1 0 0 16ZM12 4a8 8 0 0 1 0 16",
  light: "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1",
  dark: "M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7Z",
  copy: "M9 9h10v11H9ZM15 9V5H5v11h4",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  save: "M12 4v11M7.5 11l4.5 4.5L16.5 11M5 20h14",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  retry: "M19 12a7 7 0 1 1-2.3-5.2M19 4v4.5h-4.5",
  down: "M12 5v13M6 12.5l6 6 6-6",
  edit: "M5 19h3.5L19 8.5 15.5 5 5 15.5ZM13 7.5l3.5 3.5",
  withdraw: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.3 10.5V16M13.7 10.5V16",
  file: "M7 3.5h6.5L18 8v12.5H7ZM13.5 3.5V8H18",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
