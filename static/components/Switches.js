// The two things a reader may set on every screen: the language, and light or dark.

import { LANGUAGES } from "../models/language.js";
import { THEMES } from "../models/settings.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";

export function LanguageSwitch() {
  const { language } = useHouse();
  const { t, lang } = useWords();
  const [other] = Object.keys(LANGUAGES).filter((name) => name !== lang);
  return html`
    <button type="button" class="quiet-button language-switch" aria-label=${t("language.switch", { language: LANGUAGES[other] })} onClick=${() => language.choose(other)}>
      <span lang=${other}>${LANGUAGES[other]}</span>
    </button>
  `;
}

export function ThemeSwitch() {
  const { settings } = useHouse();
  const { t } = useWords();
  const theme = settings.theme.value;
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  const words = t("theme.switch", { now: t(`theme.${theme}`), next: t(`theme.${next}`) });
  return html`
    <button type="button" class="icon-button" aria-label=${words} title=${words} onClick=${() => settings.choose(next)}>
      <${Icon} name=${theme} />
    </button>
  `;
}
