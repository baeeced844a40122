// Copying with a word about it: done, or "select it and press Ctrl+C" where the browser refuses.

import { useHouse, useWords } from "./house.js";

export function useCopy() {
  const { notices } = useHouse();
  const { t } = useWords();
  return (text) => {
    if (copyText(text)) notices.tell(t("copy.done", { text }));
    else notices.tell(t("copy.refused", { text }), "bad");
  };
}

/** Copy without the clipboard API, which plain http does not have. False: the browser refused, let people do it. */
function copyText(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "off-screen";
  const focused = document.activeElement;
  const home = focused?.closest("dialog") ?? document.body; // outside an open dialog everything is inert
  home.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
    focused?.focus();
  }
}
