// Files into the room, with a word where they cannot go.

import { bytes } from "../helpers/format.js";
import { isNameless } from "../helpers/files.js";

/** Under `name`, or each under its own. */
export function sendFiles({ page, notices, language, room }, files, name) {
  const t = language.t.value;
  const silenced = room.rules.silenced.peek();
  if (silenced) return notices.tell(t(`silenced.${silenced}`), "bad");
  for (const file of files) {
    if (file.size > page.maxFileBytes) {
      notices.tell(t("file.tooLarge", { name: file.name, max: bytes(page.maxFileBytes, language.lang.value) }), "bad");
    } else {
      room.sending.upload(file, name ?? file.name);
    }
  }
}

/** A pasted picture that nobody named is given a name first. */
export function pasteFiles(house, files) {
  const { room, view } = house;
  const nameless = room.rules.silenced.peek() ? [] : files.filter(isNameless);
  const named = files.filter((file) => !nameless.includes(file));
  if (named.length) sendFiles(house, named);
  if (!nameless.length) return;
  view.pasted.value = nameless;
  view.open("paste");
}
