// How somebody came in: a word, a colour and a shape, so that none of the three has to be seen alone.

import { html } from "./html.js";

const SHAPES = {
  web: "M5 1a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z", // a circle
  udp: "M5 .3 9.7 5 5 9.7.3 5Z", // a diamond: a datagram flies alone
  tcp: "M1.3 1.3h7.4v7.4H1.3Z", // a square: a brick in a wall
  http: "M5 .8 9.6 9H.4Z", // a triangle
};

export function Badge({ via, addr }) {
  const known = via in SHAPES ? via : "web";
  return html`
    <span class=${`badge via-${known}`} title=${addr}>
      <svg class="badge-shape" viewBox="0 0 10 10" aria-hidden="true"><path d=${SHAPES[known]} /></svg>
      ${String(via).toUpperCase()}
    </span>
  `;
}
