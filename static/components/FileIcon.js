// A sheet of paper with the file's ending on it.

import { endingOf } from "../helpers/files.js";
import { html } from "./html.js";
import { Icon } from "./Icon.js";

export function FileIcon({ name }) {
  const ending = endingOf(name);
  return html`<span class="file-icon" aria-hidden="true">${ending ? html`<span class="file-ending">${ending}</span>` : html`<${Icon} name="file" />`}</span>`;
}
