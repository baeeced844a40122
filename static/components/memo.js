// Draw again only when a prop is another one: three hundred rows stay as they are when one is added.

import { Component, h } from "../vendor/preact.js";

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
