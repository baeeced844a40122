// The two things a reader may set on every screen: the language, and light or dark.

import { LANGUAGES } from "../models/language.js";
import { Settings, THEMES } from "../models/settings.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { shelf } from "./platform.js";

const settings = new Settings(shelf("theme"), showTheme);

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

/** As early.js does for what was chosen before. */
function showTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
