// A person's circle: the first sign of the name, in a tone that the name decides.

import { html } from "./html.js";
import { initialOf, toneOf } from "../helpers/names.js";

export function Avatar({ name, large = false }) {
  return html`<span class=${`avatar tone-${toneOf(name)} ${large ? "large" : ""}`} aria-hidden="true">${initialOf(name)}</span>`;
}
