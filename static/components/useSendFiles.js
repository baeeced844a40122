// Files from wherever they come (button, drop, paste). What sends them may be on its way still: they wait for it.

import { useEffect } from "../vendor/preact-hooks.js";
import { surroundings } from "./around.js";
import { useHouse } from "./house.js";

/** `(files, name)` sends them. */
export function useSendFiles() {
  const house = useHouse();
  return (files, name) => give(house, "sendFiles", files, name);
}

/** Until DropArea is here to see it first: what is dropped is sent, and the browser does not leave the room to show it. */
export function useEarlyFiles() {
  const house = useHouse();
  useEffect(() => {
    const take = (event) => {
      const { files, types } = event.dataTransfer ?? event.clipboardData ?? {};
      if (event.defaultPrevented || !types?.includes("Files") || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      if (event.type !== "dragover") give(house, event.type === "drop" ? "sendFiles" : "pasteFiles", files);
    };
    for (const name of ["dragover", "drop", "paste"]) addEventListener(name, take);
  }, []);
}

async function give(house, how, files, name) {
  const kept = Array.from(files); // a field that is emptied empties its list
  (await surroundings())[how](house, kept, name);
}
