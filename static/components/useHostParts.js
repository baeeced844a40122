// What only hosts need, fetched when the server says that this is one.

import { useEffect, useState } from "../vendor/preact-hooks.js";

let coming = null; // one for the whole page
let here = null;

/** The parts in host/parts.js, or null while they are not here or not wanted. */
export function useHostParts(room) {
  const [parts, set] = useState(here);
  const host = room.rules.host.value;
  useEffect(() => {
    if (!host) return;
    coming ??= import("./host/parts.js");
    coming.then(
      (module) => set((here = module)),
      () => (coming = null), // offline: the next one asks again
    );
  }, [host]);
  return host ? parts : null;
}
