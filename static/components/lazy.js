// A part of the page that is fetched when it is first wanted, or soon after the page is there, whichever is earlier.

import { h } from "../vendor/preact.js";
import { signal } from "../vendor/signals.js";

const parts = [];

/** The component `name` of the module that `load()` brings; until it is here, nothing is drawn. */
export function lazy(name, load) {
  const part = signal(null);
  const fetchPart = async () => {
    if (part.value) return;
    const module = await load().catch(() => null); // out of reach: whoever wants it asks again
    if (module) part.value = module[name];
  };
  parts.push(fetchPart);
  return (props) => {
    if (part.value) return h(part.value, props);
    fetchPart();
    return null;
  };
}

/** All that is not here yet: should the server be gone later, the page is whole. */
export const fetchAll = () => Promise.all(parts.map((fetchPart) => fetchPart()));
