// What every component may ask for without having it handed down: the models, and the words.

import { createContext } from "../vendor/preact.js";
import { useContext } from "../vendor/preact-hooks.js";

export const House = createContext(null); // {page, language, notices, nameShelf}; in a room {room, refused, composer, aliases}, and around it {view, rooms}

export const useHouse = () => useContext(House);

/** `{t, lang}` of the language spoken now; whoever asks is drawn again when it changes. */
export function useWords() {
  const { language } = useHouse();
  return { t: language.t.value, lang: language.lang.value };
}
