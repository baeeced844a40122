// The door: who do you want to be? One field, already filled in; Enter and you are in the room.

import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { ago } from "../helpers/format.js";
import { inventName } from "../helpers/invented.js";
import { NAME_MAX_CHARS, tidyName } from "../helpers/names.js";
import "./drawings.js";
import { Avatar } from "./Avatar.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { LanguageSwitch, ThemeSwitch } from "./Switches.js";

/** `read()` is called when it can be read. */
export function Join({ join, remembered, read }) {
  const { notices, page } = useHouse();
  const { t, lang } = useWords();
  const [invented, setInvented] = useState(() => inventName(lang));
  const [typed, setTyped] = useState(remembered);
  const field = useRef(null);
  const inventedIn = useRef(lang);
  const name = typed ?? invented;

  useEffect(() => {
    field.current.select();
    read();
  }, []);
  useEffect(() => {
    if (inventedIn.current === lang) return;
    inventedIn.current = lang;
    setInvented(inventName(lang));
  }, [lang]);

  const submit = (event) => {
    event.preventDefault();
    join(tidyName(name) || invented).catch(() => notices.tell(t("error.unreachable"), "bad"));
  };
  const another = () => {
    setTyped(null);
    setInvented(inventName(lang));
    field.current.focus();
  };

  return html`
    <main class="join">
      <form class="join-card" onSubmit=${submit}>
        <div class="join-switches"><${LanguageSwitch} /><${ThemeSwitch} /></div>
        <${Avatar} name=${name || "?"} large />
        <h1>${t("join.title")} <bdi class="room-name">${page.name}</bdi></h1>
        <p class="join-life"><${Life} /></p>
        <label for="join-name">${t("join.name")}</label>
        <div class="join-field">
          <input
            id="join-name" ref=${field} value=${name} maxlength=${NAME_MAX_CHARS} required
            autocomplete="nickname" autocapitalize="words" spellcheck="false" enterkeyhint="go"
            onInput=${(event) => setTyped(event.target.value)}
          />
          <button type="button" class="icon-button" aria-label=${t("join.another")} title=${t("join.another")} onClick=${another}>
            <${Icon} name="retry" />
          </button>
        </div>
        <button type="submit" class="main-button">${t("join.enter")}</button>
      </form>
    </main>
  `;
}

/** "3 people · last message 12 s ago", from what the server wrote into the page. */
function Life() {
  const { page } = useHouse();
  const { t, lang } = useWords();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const people = page.count ? t("people.count", { n: page.count }) : t("people.none");
  const last = page.entries.at(-1);
  return last ? `${people} · ${t("join.last", { ago: ago(last.at, now, lang) })}` : people;
}
