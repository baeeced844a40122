// "Alice is writing", for the place that the log keeps free for it, so that nothing jumps.

import { useWords } from "./house.js";

export function TypingWords({ room }) {
  const { t, lang } = useWords();
  const names = room.typing.names.value;
  if (names.length === 0) return "";
  return names.length > 3 ? t("typing.many") : t("typing.some", { n: names.length, names: new Intl.ListFormat(lang).format(names) });
}
