// What stands around the words of a room comes after them, all at once: the module surroundings.js.

import { useHouse } from "./house.js";
import { lazy } from "./lazy.js";

const AGAIN_MS = 2000;

let begin;
const standing = new Promise((resolve) => (begin = resolve));
let coming = null;

/** The words of this house's room can be read and written, so all else may come. */
export const wordsStand = (house) => begin(house);

/** A promise of that module, its models in their places. Whoever cannot do without it waits. */
export const surroundings = () => (coming ??= standing.then(fetchThem));

/** The component `name` of that module; until it is here, nothing is drawn. */
export const around = (name) => lazy(name, surroundings);

/** `(act)` calls `act(view)` when there is one: what is pressed early opens its window then. */
export function useView() {
  const house = useHouse();
  return (act) => surroundings().then(() => act(house.view));
}

async function fetchThem(house) {
  for (;;) {
    const module = await import("../surroundings.js").catch(() => null);
    if (module) {
      module.furnish(house);
      return module;
    }
    await new Promise((again) => setTimeout(again, AGAIN_MS));
  }
}
