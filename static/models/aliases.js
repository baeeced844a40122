// What this reader calls devices: names of one's own, kept in this browser by address.

import { signal } from "../vendor/signals-core.js";

const SHARED = /^(127\.|\[::1\])/; // an address of many programs, which differ by their ports alone

export class Aliases {
  all = signal({}); // place -> alias
  #shelf;

  /** `shelf` has `read()` and `write({place: alias})`. */
  constructor(shelf) {
    this.#shelf = shelf;
    this.all.value = shelf.read() ?? {};
  }

  /** What to call a peer here. */
  nameOf(peer) {
    return this.of(peer) ?? peer.name;
  }

  of(peer) {
    return this.all.value[placeOf(peer)];
  }

  /** Call it so from now on; "": by its own name. Another tab may have named others meanwhile. */
  call(peer, alias) {
    const { [placeOf(peer)]: _before, ...others } = this.#shelf.read() ?? {};
    this.all.value = alias ? { ...others, [placeOf(peer)]: alias } : others;
    this.#shelf.write(this.all.value);
  }
}

/** A device comes back by another port, and from the same address; people choose their names themselves. */
export const isDevice = ({ via }) => via !== "web";

function placeOf({ via, addr }) {
  if (via === "web") return "";
  return `${via} ${SHARED.test(addr) ? addr : addr.replace(/:\d+$/, "")}`;
}
