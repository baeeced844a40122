// What of the room is open beside the log: which tab of the rail, which window above everything, which file is looked at.

import { signal } from "../vendor/signals-core.js";

export const TABS = ["people", "files", "connect", "search"];

export class View {
  tab = signal("people");
  sheet = signal(null); // "rail" (on a phone) | "rooms" | "share" | "menu" | "rules" | "help" | "person" | "paste"
  file = signal(null);
  person = signal(null); // the peer whom the window "person" is about
  pasted = signal([]); // pictures that came without a name, until each has one
  big = signal(false); // letters for a projector
  wanted = signal(0); // how often a tab was asked for: its field takes the focus each time

  /** Show a tab of the rail; on a narrow screen in a sheet. */
  show(tab, narrow) {
    this.tab.value = tab;
    this.sheet.value = narrow ? "rail" : null;
    this.wanted.value += 1;
  }

  meet(peer) {
    this.person.value = peer;
    this.open("person");
  }

  open(sheet) {
    this.sheet.value = sheet;
  }

  close() {
    this.sheet.value = null;
  }
}
