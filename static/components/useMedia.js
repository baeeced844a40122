// Is the screen such now? Asked once, and told of every change.

import { useEffect, useState } from "../vendor/preact-hooks.js";

export const NARROW = "(width < 720px)"; // as in styles/room.css

export function useMedia(query) {
  const [matches, tell] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const look = () => tell(list.matches);
    list.addEventListener("change", look);
    return () => list.removeEventListener("change", look);
  }, [query]);
  return matches;
}
