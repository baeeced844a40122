// The reader's language: which one, its words, and changing it without a reload.

import { computed, signal } from "../vendor/signals-core.js";
import { wordsOf } from "../helpers/words.js";

export const LANGUAGES = { en: "English", "zh-CN": "中文" };

export class Language {
  #now = signal(null); // {lang, t}
  #load;
  #remember;
  lang = computed(() => this.#now.value.lang);
  t = computed(() => this.#now.value.t);

  /** `load(lang)` answers a promise of the dictionary; `remember(lang)` tells the browser for the next page. */
  constructor(load, remember) {
    this.#load = load;
    this.#remember = remember;
  }

  async speak(lang) {
    const dictionary = await this.#load(lang);
    this.#now.value = { lang, t: wordsOf(dictionary, lang) };
  }

  async choose(lang) {
    await this.speak(lang);
    this.#remember(lang);
  }
}
