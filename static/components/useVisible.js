// Is this tab before somebody's eyes?

import { useEffect, useState } from "../vendor/preact-hooks.js";

export function useVisible() {
  const [visible, tell] = useState(!document.hidden);
  useEffect(() => {
    const look = () => tell(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return visible;
}
