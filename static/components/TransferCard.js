// A file on its way in: bar, received of size, rate, time left; or a moving bar when nobody knows the size.

import { bytes, duration, percent, secondsLeft } from "../helpers/format.js";
import { Badge } from "./Badge.js";
import { FileIcon } from "./FileIcon.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";

export function TransferCard({ name, from, received = 0, size, rate, state, failed, mine, children }) {
  const { aliases } = useHouse();
  const { t, lang } = useWords();
  return html`
    <li class=${`card transfer ${mine ? "mine" : ""} ${failed ? "failed" : state}`}>
      <div class="card-row">
        <${FileIcon} name=${name} />
        <span class="card-words">
          <bdi class="card-name">${name}</bdi>
          <span class="card-note">
            ${from && html`<span class="card-from"><bdi title=${from.name}>${aliases.nameOf(from)}</bdi> <${Badge} via=${from.via} addr=${from.addr} /></span>`}
            <span class="card-progress">${progressWords({ t, lang, received, size, rate, state, failed })}</span>
          </span>
        </span>
        ${children}
      </div>
      ${failed ? html`<p class="card-failure" role="alert">${failed}</p>` : html`<${Bar} name=${name} part=${percent(received, size)} />`}
    </li>
  `;
}

function progressWords({ t, lang, received, size, rate, state, failed }) {
  const amount = size == null ? bytes(received, lang) : t("transfer.of", { received: bytes(received, lang), size: bytes(size, lang) });
  if (failed) return amount;
  if (state === "queued") return t("transfer.queued");
  if (["paused", "waiting", "halfway"].includes(state)) return `${amount} · ${t(`transfer.${state}`)}`;
  const left = secondsLeft(received, size, rate);
  const parts = [amount, rate && `${bytes(rate, lang)}/s`, left && t("transfer.left", { time: duration(left, lang) })];
  return parts.filter(Boolean).map(unbroken).join(" · ");
}

/** A narrow card breaks its line between two numbers, not within one. */
const unbroken = (words) => words.replaceAll(" ", "\u00a0");

/** Told to screen readers only at each quarter, else they would speak of nothing else. */
function Bar({ name, part }) {
  const { t } = useWords();
  const known = part !== null;
  const quarter = known ? Math.floor(part / 25) * 25 : undefined;
  return html`
    <div class=${`bar ${known ? "" : "unknown"}`} role="progressbar" aria-label=${t("transfer.progress", { name })} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${quarter}>
      <div class="bar-fill" style=${known ? { transform: `scaleX(${part / 100})` } : {}}></div>
    </div>
  `;
}
