// Files into the room, with a word where they cannot go.

import { bytes } from "../helpers/format.js";
import { pastedName } from "../helpers/files.js";

export function sendFiles({ page, notices, language, room }, files, { pasted = false } = {}) {
  const t = language.t.value;
  const silenced = room.rules.silenced.peek();
  if (silenced) return notices.tell(t(`silenced.${silenced}`), "bad");
  for (const file of files) {
    if (file.size > page.maxFileBytes) {
      notices.tell(t("file.tooLarge", { name: file.name, max: bytes(page.maxFileBytes, language.lang.value) }), "bad");
    } else {
      room.sending.upload(file, pasted ? pastedName(file.name, Date.now()) : file.name);
    }
  }
}
