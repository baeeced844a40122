// Files may be dropped and pasted anywhere: while one hovers, the whole room shows where it will go.

import { useEffect, useState } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { pasteFiles, sendFiles } from "./sendFiles.js";

export function DropArea({ room }) {
  const house = useHouse();
  const { notices } = house;
  const { t } = useWords();
  const [over, setOver] = useState(false);

  useEffect(() => {
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    const hover = (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    // Leaving one element for another is not leaving the window: only then is there nothing entered instead.
    const leave = (event) => !event.relatedTarget && setOver(false);
    const drop = (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(false);
      const { files, folders } = partOf(event.dataTransfer.items);
      if (folders) notices.tell(t("drop.folder"), "bad");
      sendFiles(house, files);
    };
    const paste = (event) => {
      const files = Array.from(event.clipboardData?.files ?? []);
      if (!files.length || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      pasteFiles(house, files);
    };
    const listeners = { paste, dragenter: hover, dragover: hover, dragleave: leave, drop };
    // On the way down, before useEarlyFiles sees it on the way up.
    for (const [name, listener] of Object.entries(listeners)) window.addEventListener(name, listener, true);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) window.removeEventListener(name, listener, true);
    };
  }, [house]);

  return over && html`<div class="drop-area"><p>${t("drop.here", { room: room.name })}</p></div>`;
}

/** A folder looks like an empty file until one asks what it is. */
function partOf(items) {
  const dropped = Array.from(items).filter((item) => item.kind === "file");
  const folders = dropped.filter((item) => item.webkitGetAsEntry?.()?.isDirectory);
  return { files: dropped.filter((item) => !folders.includes(item)).map((item) => item.getAsFile()), folders: folders.length };
}
