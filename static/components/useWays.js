// The short ways through a room: the keys that lead to its parts, and the links that lead to its entries.

import { useEffect, useMemo } from "../vendor/preact-hooks.js";
import { useHouse } from "./house.js";
import { useKeys } from "./useKeys.js";

export function useWays(room, narrow) {
  const { view } = useHouse();
  const wishes = useMemo(
    () => ({
      search: () => view.show("search", narrow),
      tab: (name) => view.show(name, narrow),
      rooms: () => view.open("rooms"),
      help: () => view.open("help"),
      attach: () => document.querySelector(".composer input[type=file]")?.click(),
      end: () => {
        const company = room.company.value;
        if (company.only.value) company.showAll();
        else company.toEnd();
      },
    }),
    [room, view, narrow],
  );
  useKeys(wishes);
  useEffect(() => {
    // A link to an entry of this page is followed here, also when the address names it already.
    const follow = (event) => {
      const seq = event.target.closest?.("a[href^='#']")?.hash.slice(1);
      if (!seq) return;
      event.preventDefault();
      history.replaceState(null, "", `#${seq}`);
      if (view.sheet.value === "rail") view.close();
      room.history.to(Number(seq));
    };
    addEventListener("click", follow);
    return () => removeEventListener("click", follow);
  }, [room, view]);
}
