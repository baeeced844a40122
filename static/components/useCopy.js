// Copying with a word about it: done, or "select it and press Ctrl+C" where the browser refuses.

import { useHouse, useWords } from "./house.js";
import { copyText } from "./platform.js";

export function useCopy() {
  const { notices } = useHouse();
  const { t } = useWords();
  return (text) => {
    if (copyText(text)) notices.tell(t("copy.done", { text }));
    else notices.tell(t("copy.refused", { text }), "bad");
  };
}
