// More rows before the reader needs them: a page up near the top, a page down near the foot.

import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { useHouse, useWords } from "./house.js";

const NEAR_PX = 600; // about a screen ahead

/** `{asking, older}`: whether a page is on its way, and a call for one at the top, for whoever has no wheel. */
export function usePaging(room, following) {
  const { scroller } = following;
  const { notices } = useHouse();
  const { t } = useWords();
  const [asking, ask] = useState(false);
  const busy = useRef(false);
  const heading = useRef(null); // "up" | "down": where the reader last scrolled to

  /** The page that is needed where the reader is, or null. */
  const needed = () => {
    const { scrollTop, scrollHeight, clientHeight } = scroller.current;
    const below = scrollHeight - scrollTop - clientHeight;
    const { log, history } = room.company.value.shown;
    if (heading.current === "up" && scrollTop < NEAR_PX && log.hasOlder.value) return () => history.older();
    if (heading.current === "down" && below < NEAR_PX && log.detached.value) return () => history.newer();
    return null;
  };
  /** That page; and the next, for somebody in a hurry who is at the edge again. */
  const page = async (first = needed()) => {
    if (busy.current || !first) return;
    busy.current = true;
    ask(true);
    try {
      for (let step = first; step; step = needed()) await hold(following, step);
    } catch {
      notices.tell(t("error.unreachable"), "bad");
    } finally {
      busy.current = false;
      ask(false);
    }
  };

  useEffect(() => {
    const element = scroller.current;
    let before = element.scrollTop;
    if (!following.following) heading.current = "up"; // before this was here to see it
    const look = () => {
      if (element.scrollTop !== before) heading.current = element.scrollTop < before ? "up" : "down";
      before = element.scrollTop;
      page();
    };
    element.addEventListener("scroll", look, { passive: true });
    page();
    return () => element.removeEventListener("scroll", look);
  }, [room]);

  return { asking, older: () => page(() => room.company.value.shown.history.older()) };
}

/** Rows come and go by this change, and what the reader looks at stays where it is. */
async function hold({ scroller, content, held }, change) {
  const top = scroller.current.getBoundingClientRect().top;
  const rows = Array.from(content.current.querySelectorAll("[data-entry]"));
  const row = rows.find((candidate) => candidate.getBoundingClientRect().bottom > top);
  held.current = row && { row, top: row.getBoundingClientRect().top };
  scroller.current.style.overflowAnchor = "none"; // else the browser corrects too, and twice is wrong
  try {
    await change();
    await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
  } finally {
    held.current = null;
    scroller.current.style.overflowAnchor = "";
  }
}
