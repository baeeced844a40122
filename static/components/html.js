// The one way this page makes elements: htm's templates over preact; and how some stay as they are.
//
// Text with a "<" in it never stands in a template, since htm would take it for a tag and say nothing; it goes in
// as data: html`<code>${line}</code>`.

import { Component, h } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export const html = htm.bind(h);

/** Drawn again only when a prop is another one: three hundred rows stay as they are when one is added. */
export function memo(Inner) {
  return class Memo extends Component {
    shouldComponentUpdate(next) {
      const names = new Set([...Object.keys(next), ...Object.keys(this.props)]);
      return Array.from(names).some((name) => next[name] !== this.props[name]);
    }

    render(props) {
      return h(Inner, props);
    }
  };
}
