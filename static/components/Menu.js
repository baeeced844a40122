// What is done once in a lesson: save what was said, save who was here, letters for a projector, language and colours.

import { useState } from "../vendor/preact-hooks.js";
import { deedWords } from "../helpers/deeds.js";
import { roster, transcript } from "../helpers/record.js";
import { wholeLog } from "../models/record.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { LanguageSwitch, ThemeSwitch } from "./Switches.js";

export function Menu({ room }) {
  const { notices, view } = useHouse();
  const { t } = useWords();
  const [read, tell] = useState(null); // how many entries are read so far, while a record is made
  const record = async (make) => {
    tell(0);
    try {
      make(await wholeLog((query) => room.company.value.ask(query), tell));
    } catch {
      notices.tell(t("error.unreachable"), "bad");
    } finally {
      tell(null);
    }
  };
  const saveWords = (entries) => saveText(`${room.name}.txt`, transcript(entries, location.origin, (entry) => deedWords(t, entry)), "text/plain");
  const savePeople = (entries) => saveText(`${room.name}-people.csv`, `\ufeff${roster(entries, room.peers.list.value)}`, "text/csv"); // Excel takes UTF-8 by its mark only
  return html`
    <ul class="menu">
      ${room.rules.host.value && html`<${Item} icon="edit" words=${t("rules.title")} note=${t("rules.note")} press=${() => view.open("rules")} />`}
      <${Item} icon="record" words=${t("menu.transcript")} note=${t("menu.transcriptNote")} disabled=${read !== null} press=${() => record(saveWords)} />
      <${Item} icon="people" words=${t("menu.roster")} note=${t("menu.rosterNote")} disabled=${read !== null} press=${() => record(savePeople)} />
      <${Item} icon="big" words=${t("menu.big")} note=${t("menu.bigNote")} pressed=${view.big.value} press=${() => (view.big.value = !view.big.value)} />
      <${Item} icon="help" words=${t("help.title")} note=${t("menu.helpNote")} press=${() => view.open("help")} />
    </ul>
    <p class="panel-note" role="status">${read === null ? "" : t("menu.reading", { n: read })}</p>
    <div class="menu-switches"><${LanguageSwitch} /><${ThemeSwitch} /></div>
  `;
}

function Item({ icon, words, note, press, pressed, disabled = false }) {
  return html`
    <li>
      <button type="button" class="menu-item" aria-pressed=${pressed} disabled=${disabled} onClick=${press}>
        <${Icon} name=${icon} />
        <span class="menu-words"><span>${words}</span><span class="menu-note">${note}</span></span>
      </button>
    </li>
  `;
}

/** Hand the reader a file that was made here. */
function saveText(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
