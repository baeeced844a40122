// Staying at the end of a growing list, unless the reader has gone up to read.

import { useCallback, useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";

const NEAR_PX = 100; // this close to the end counts as being there

/**
 * `{scroller, content, following, follow, leave, held}`: two refs, whether we are at the end, a call to go there and one
 * to go from there; `held` is for usePaging.js, which keeps a row where it is while others are added and dropped.
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

  const leave = useCallback(() => {
    atEnd.current = false;
    setFollowing(false);
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
    let before = element.scrollTop;
    // Only who goes up leaves the end: a picture that loads may have moved it away before the browser tells of it.
    const look = () => {
      const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
      if (near || element.scrollTop < before) atEnd.current = near;
      before = element.scrollTop;
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

  return { scroller, content, following, follow, held, leave };
}
