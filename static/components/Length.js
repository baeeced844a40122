// Under what is being written: how long it is, once that matters, or in how many datagrams it reaches who listens by UDP.

import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { lazy } from "./lazy.js";

const WARN_PART = 0.8; // of the limit; before that the count would only be noise
const ONE_DATAGRAM_BYTES = 800; // what surely goes into one, with the longest name
const Pieces = lazy("Pieces", () => import("./Pieces.js"));

export function Length({ room, text, used }) {
  const { page } = useHouse();
  const { t } = useWords();
  if (used > page.textMaxBytes * WARN_PART) return t("composer.count", { used, max: page.textMaxBytes });
  const inPieces = (used > ONE_DATAGRAM_BYTES || text.includes("\n")) && room.peers.list.value.some(({ via }) => via === "udp");
  return inPieces && html`<${Pieces} room=${room} text=${text} />`;
}
