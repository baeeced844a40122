// The short words at the foot of the page that go away by themselves.

import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";

export function Notices() {
  const { notices } = useHouse();
  const { t } = useWords();
  return html`
    <div class="notices" role="status">
      ${notices.list.value.map(
        ({ id, words, tone }) => html`
          <p key=${id} class=${`notice ${tone}`}>
            <span>${words}</span>
            <button type="button" class="icon-button" aria-label=${t("notice.close")} onClick=${() => notices.drop(id)}><${Icon} name="close" /></button>
          </p>
        `,
      )}
    </div>
  `;
}
