// The keyboard's short ways, listened to once for the whole room, and from its first paint on.

import { useLayoutEffect } from "../vendor/preact-hooks.js";
import { wishOf } from "../helpers/shortcuts.js";
import { TABS } from "../models/view.js";

/** `wishes` has a function for each of `search`, `rooms`, `help`, `attach`, `end` and `tab(name)`. */
export function useKeys(wishes) {
  useLayoutEffect(() => {
    const press = (event) => {
      const { target } = event;
      const wish = wishOf(event, target.matches?.("input, textarea, select") ?? false);
      // In a window Escape closes it, and the other keys are for what is in it.
      if (!wish || target.closest?.("dialog") || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      if (wish.startsWith("tab-")) wishes.tab(TABS[Number(wish.at(-1)) - 1]);
      else wishes[wish]();
    };
    addEventListener("keydown", press);
    window.earlyKeys.take().forEach(press);
    return () => removeEventListener("keydown", press);
  }, [wishes]);
}
