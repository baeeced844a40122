// "3 new", and the way back to the end of the log.

import { useRef } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";

export function ToLatest({ room }) {
  const { t } = useWords();
  const arrivals = room.arrivals.value;
  const left = useRef(arrivals); // how many there were when the reader left the end
  const { only } = room.company.value;
  const fresh = only.value ? 0 : arrivals - left.current;
  return html`
    <button type="button" class="to-latest" onClick=${() => room.company.value.toEnd()}>
      <${Icon} name="down" />${fresh ? t("log.fresh", { n: fresh }) : t("log.latest")}
    </button>
  `;
}
