// The tab's own words: the room, and how much was said while the tab was out of sight.
//
// Over plain http there are no notifications, so this number is all a hidden tab can say.

import { useEffect, useState } from "../vendor/preact-hooks.js";

export function Title({ room }) {
  const arrivals = room.arrivals.value;
  const [seen, setSeen] = useState(arrivals);
  const [hidden, setHidden] = useState(document.hidden);
  useEffect(() => {
    const look = () => setHidden(document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  useEffect(() => {
    if (!hidden) setSeen(arrivals);
  }, [hidden, arrivals]);
  const missed = hidden ? arrivals - seen : 0;
  useEffect(() => {
    document.title = `${missed ? `(${missed}) ` : ""}${room.name} · roombridge`;
  }, [missed]);
  return null;
}
