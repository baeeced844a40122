// The keyboard's map. Everything in it has a button somewhere, too.

import { html } from "./html.js";
import { useWords } from "./house.js";

const KEYS = [
  [["Enter"], "help.send"],
  [["Shift", "Enter"], "help.line"],
  [["↑"], "help.last"],
  [["/"], "help.search"],
  [["Ctrl", "K"], "help.rooms"],
  [["Ctrl", "U"], "help.attach"],
  [["Alt", "1–4"], "help.tabs"],
  [["Esc"], "help.end"],
  [["?"], "help.help"],
];

export function Help() {
  const { t } = useWords();
  return html`
    <dl class="keys">
      ${KEYS.map(
        ([keys, words]) => html`
          <div class="key-row">
            <dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt>
            <dd>${t(words)}</dd>
          </div>
        `,
      )}
    </dl>
    <p class="panel-note">${t("help.markdown")}</p>
  `;
}
