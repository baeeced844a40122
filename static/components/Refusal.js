// Why a message of mine did not get through, and the two ways on.

import { errorWords } from "../helpers/words.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";

export function Refusal({ draft, room }) {
  const { composer } = useHouse();
  const { t } = useWords();
  const takeBack = () => {
    const text = room.outbox.discard(draft.key);
    composer.value = composer.value ? `${composer.value}\n${text}` : text;
  };
  return html`
    <p class="refusal">
      <span>${errorWords(t, draft.code, draft.message)}</span>
      <button type="button" class="quiet-button" onClick=${() => room.retry(draft.key)}><${Icon} name="retry" />${t("draft.retry")}</button>
      <button type="button" class="quiet-button" onClick=${takeBack}><${Icon} name="edit" />${t("draft.edit")}</button>
    </p>
  `;
}
