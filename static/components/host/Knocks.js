// Strangers at the door: who it is, the first word, and the three answers.

import { Badge } from "../Badge.js";
import { html } from "../html.js";
import { useWords } from "../house.js";

export function Knocks({ room }) {
  const { t } = useWords();
  const knocks = room.company.value.knocks.list.value;
  return html`
    <section class="knocks" aria-label=${t("knock.list")} aria-live="polite">
      ${knocks.map((knock) => html`<${Knock} key=${knock.id} knock=${knock} room=${room} />`)}
    </section>
  `;
}

function Knock({ knock, room }) {
  const { t } = useWords();
  const { via, addr, text } = knock;
  return html`
    <div class="knock" role="group" aria-label=${t("knock.from", { addr })}>
      <p class="knock-words">
        <${Badge} via=${via} addr=${addr} /> <span class="mono">${addr}</span> ${t("knock.says")} <q><bdi>${text}</bdi></q>
      </p>
      <div class="knock-answers">
        <button type="button" class="main-button" onClick=${() => room.company.value.knocks.admit(knock, false)}>${t("knock.admit")}</button>
        <button type="button" class="quiet-button" onClick=${() => room.company.value.knocks.admit(knock, true)}>${t("knock.always")}</button>
        <button type="button" class="quiet-button" onClick=${() => room.company.value.knocks.turnAway(knock)}>${t("knock.refuse")}</button>
      </div>
    </div>
  `;
}
