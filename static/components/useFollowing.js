// Staying at the end of a growing list, unless the reader has gone up to read.

import { useCallback, useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";

const NEAR_PX = 100; // this close to the end counts as being there

/**
 * `{scroller, content, following, follow, hold}`: two refs, whether we are at the end, a call to go there, and
 * `hold(change)`, which adds rows at the top without moving what the reader looks at.
 */
export function useFollowing(rows) {
  const scroller = useRef(null);
  const content = useRef(null);
  const atEnd = useRef(true);
  const held = useRef(null); // {row, top}: the row that must stay where it is
  const [following, setFollowing] = useState(true);

  const toEnd = () => {
    scroller.current.scrollTop = scroller.current.scrollHeight;
  };
  const follow = useCallback(() => {
    atEnd.current = true;
    setFollowing(true);
    toEnd();
  }, []);

  useLayoutEffect(() => {
    if (held.current) {
      const { row, top } = held.current;
      if (row.isConnected) scroller.current.scrollTop += row.getBoundingClientRect().top - top;
    } else if (atEnd.current) {
      toEnd();
    }
  }, [rows]);

  useLayoutEffect(() => {
    const element = scroller.current;
    const look = () => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
      setFollowing(atEnd.current);
    };
    // Pictures that load, cards that grow, a keyboard that opens: the end moves without a new row.
    const grown = new ResizeObserver(() => atEnd.current && toEnd());
    element.addEventListener("scroll", look, { passive: true });
    grown.observe(element);
    grown.observe(content.current);
    return () => {
      element.removeEventListener("scroll", look);
      grown.disconnect();
    };
  }, []);

  const hold = useCallback(async (change) => {
    const row = content.current.querySelector("[data-entry]");
    held.current = row && { row, top: row.getBoundingClientRect().top };
    scroller.current.style.overflowAnchor = "none"; // else the browser corrects too, and twice is wrong
    try {
      await change();
      await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
    } finally {
      held.current = null;
      scroller.current.style.overflowAnchor = "";
    }
  }, []);

  return { scroller, content, following, follow, hold };
}
