// What the reader has chosen for this browser and not for one room: so far, light or dark.

import { signal } from "../vendor/signals-core.js";

export const THEMES = ["auto", "light", "dark"]; // auto follows the system

export class Settings {
  theme = signal("auto");
  #shelf;
  #show;

  /** `shelf` has `read()` and `write(theme)`; `show(theme)` makes it visible. */
  constructor(shelf, show) {
    this.#shelf = shelf;
    this.#show = show;
    const kept = shelf.read();
    if (THEMES.includes(kept)) this.theme.value = kept;
  }

  choose(theme) {
    this.theme.value = theme;
    this.#shelf.write(theme);
    this.#show(theme);
  }
}
