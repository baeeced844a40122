// The time, looked at again every few seconds: for words like "2 minutes ago".

import { useEffect, useState } from "../vendor/preact-hooks.js";

export function useNow(everyMs) {
  const [now, tell] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => tell(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
