// Files from wherever they come (button, drop, paste) into the room, with a word where they cannot go.

import { bytes } from "../helpers/format.js";
import { useHouse, useWords } from "./house.js";

export function useSendFiles(room) {
  const { page, notices } = useHouse();
  const { t, lang } = useWords();
  /** Under `name`, or each under its own. */
  return (files, name) => {
    const silenced = room.rules.silenced.peek();
    if (silenced) return notices.tell(t(`silenced.${silenced}`), "bad");
    for (const file of files) {
      if (file.size > page.maxFileBytes) {
        notices.tell(t("file.tooLarge", { name: file.name, max: bytes(page.maxFileBytes, lang) }), "bad");
      } else {
        room.upload(file, name ?? file.name);
      }
    }
  };
}
