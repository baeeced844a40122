// Files from wherever they come (button, drop, paste). What sends them may be on its way still: they wait for it.

import { useEffect } from "../vendor/preact-hooks.js";
import { surroundings } from "./around.js";
import { useHouse } from "./house.js";

/** `(files, {pasted})` sends them. */
export function useSendFiles() {
  const house = useHouse();
  return (files, how) => {
    const kept = Array.from(files); // a field that is emptied empties its list
    surroundings().then(({ sendFiles }) => sendFiles(house, kept, how));
  };
}

/** Until DropArea is here to see it first: what is dropped is sent, and the browser does not leave the room to show it. */
export function useEarlyDrops() {
  const sendFiles = useSendFiles();
  useEffect(() => {
    const take = (event) => {
      if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      if (event.type === "drop") sendFiles(event.dataTransfer.files);
    };
    addEventListener("dragover", take);
    addEventListener("drop", take);
  }, []);
}
