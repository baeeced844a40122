// Files from wherever they come (button, drop, paste) into the room, with a word where they cannot go.

import { bytes } from "../helpers/format.js";
import { pastedName } from "../helpers/files.js";
import { useHouse, useWords } from "./house.js";

export function useSendFiles(room) {
  const { page, notices } = useHouse();
  const { t, lang } = useWords();
  return (files, { pasted = false } = {}) => {
    const silenced = room.rules.silenced.peek();
    if (silenced) return notices.tell(t(`silenced.${silenced}`), "bad");
    for (const file of files) {
      if (file.size > page.maxFileBytes) {
        notices.tell(t("file.tooLarge", { name: file.name, max: bytes(page.maxFileBytes, lang) }), "bad");
      } else {
        room.upload(file, pasted ? pastedName(file.name, Date.now()) : file.name);
      }
    }
  };
}
