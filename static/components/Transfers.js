// Everybody's files on their way in, below the last entry: one card each, from the first byte on.

import { errorWords } from "../helpers/words.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { TransferCard } from "./TransferCard.js";

export function Transfers({ room }) {
  const { t } = useWords();
  const transfers = room.transfers.list.value;
  const uploads = room.uploads.list.value;
  const claimed = new Set(uploads.map((upload) => upload.id));
  if (!transfers.length && !uploads.length) return null;
  return html`
    <ul class="transfers" aria-label=${t("transfer.list")}>
      ${transfers.filter(({ id }) => !claimed.has(id)).map((transfer) => html`<${Theirs} key=${transfer.id} transfer=${transfer} room=${room} />`)}
      ${uploads.map((upload) => html`<${Mine} key=${upload.key} upload=${upload} told=${transfers.find(({ id }) => id === upload.id)} room=${room} />`)}
    </ul>
  `;
}

function Theirs({ transfer, room }) {
  const { t } = useWords();
  const { state, received, size, rate, reason, name, from } = transfer;
  const failed = state === "failed" && failure(t, reason);
  return html`
    <${TransferCard} name=${name} from=${from} received=${received} size=${size} rate=${rate} state=${state} failed=${failed}>
      ${failed &&
      html`
        <button type="button" class="icon-button" aria-label=${t("transfer.dismiss", { name })} onClick=${() => room.transfers.drop(transfer.id)}>
          <${Icon} name="close" />
        </button>
      `}
    <//>
  `;
}

/** My upload with what the server tells of it: its count of bytes is the true one. */
function Mine({ upload, told, room }) {
  const { t } = useWords();
  const { key, name, size, state, code, message } = upload;
  const failed = state === "failed" && errorWords(t, code, message);
  const shown = state === "queued" ? "queued" : (told?.state ?? "receiving");
  return html`
    <${TransferCard} mine name=${name} from=${room.you.value} received=${told?.received ?? upload.sent} size=${size} rate=${told?.rate} state=${shown} failed=${failed}>
      ${failed &&
      html`
        <button type="button" class="icon-button" aria-label=${t("transfer.retry", { name })} title=${t("transfer.retry", { name })} onClick=${() => room.uploads.retry(key)}>
          <${Icon} name="retry" />
        </button>
      `}
      <button type="button" class="icon-button" aria-label=${t("transfer.cancel", { name })} title=${t("transfer.cancel", { name })} onClick=${() => room.uploads.cancel(key)}>
        <${Icon} name="close" />
      </button>
    <//>
  `;
}

/** A reason is an error code where there is one for it, else the server's own words. */
function failure(t, reason) {
  return reason ? errorWords(t, reason, reason) : t("transfer.failed");
}
