// The tab's own words: the room, and how much was said, and to me, while the tab was out of sight.
//
// Over plain http there are no notifications, so these numbers are all that a hidden tab can say.

import { useEffect, useState } from "../vendor/preact-hooks.js";
import { useVisible } from "./useVisible.js";

export function Title({ room }) {
  const visible = useVisible();
  const arrivals = room.arrivals.value;
  const mentioned = room.company.value.mentioned.value;
  const [seen, see] = useState({ arrivals: 0, mentioned: 0 });
  useEffect(() => {
    if (visible) see({ arrivals, mentioned });
  }, [visible, arrivals, mentioned]);
  const missed = visible ? 0 : arrivals - seen.arrivals;
  const named = visible ? 0 : mentioned - seen.mentioned;
  useEffect(() => {
    const counts = [named && `@${named}`, missed].filter(Boolean).join(" · ");
    document.title = `${counts ? `(${counts}) ` : ""}${room.name} · roombridge`;
  }, [missed, named]);
  return null;
}
