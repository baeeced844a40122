// One row of the log, whatever kind it is.

import { day } from "../helpers/moments.js";
import { around } from "./around.js";
import { html, memo } from "./html.js";
import { Draft, Message } from "./Message.js";

const Marker = around("Marker");

export const Row = memo((row) => {
  switch (row.kind) {
    case "day":
      return html`<li class="marker"><span>${day(row.at, Date.now(), row.lang)}</span></li>`;
    case "draft":
      return html`<${Draft} ...${row} />`;
    case "entry":
      return html`<${Message} ...${row} />`;
    default:
      return html`<${Marker} ...${row} />`;
  }
});
