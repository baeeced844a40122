// The one way this page makes elements: htm's templates over preact.
//
// Text with a "<" in it never stands in a template, since htm would take it for a tag and say nothing; it goes in
// as data: html`<code>${line}</code>`.

import { h } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export const html = htm.bind(h);
