// Everybody's files on their way in, below the last entry: one card each, from the first byte on.

import { bytes } from "../helpers/format.js";
import { failureWords } from "../helpers/failures.js";
import { errorWords } from "../helpers/words.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { TransferCard } from "./TransferCard.js";

export function Transfers({ room }) {
  const { t } = useWords();
  const transfers = room.sending.transfers.list.value;
  const uploads = room.sending.uploads.list.value;
  const halfway = room.sending.halfway.value;
  const claimed = new Set([...uploads, ...halfway].map(({ id }) => id));
  const told = (mine) => transfers.find(({ id }) => id === mine.id);
  if (!transfers.length && !uploads.length) return null;
  return html`
    <ul class="transfers" aria-label=${t("transfer.list")}>
      ${transfers.filter(({ id }) => !claimed.has(id)).map((transfer) => html`<${Theirs} key=${transfer.id} transfer=${transfer} room=${room} />`)}
      ${halfway.map((upload) => html`<${Halfway} key=${upload.key} upload=${upload} told=${told(upload)} room=${room} />`)}
      ${uploads.map((upload) => html`<${Mine} key=${upload.key} upload=${upload} told=${told(upload)} room=${room} />`)}
    </ul>
  `;
}

function Theirs({ transfer, room }) {
  const { t } = useWords();
  const { state, received, size, rate, name, from } = transfer;
  const failed = state === "failed" && failureWords(t, transfer);
  return html`
    <${TransferCard} name=${name} from=${from} received=${received} size=${size} rate=${rate} state=${state} failed=${failed}>
      ${failed && html`<${Button} icon="close" words=${t("transfer.dismiss", { name })} press=${() => room.sending.transfers.drop(transfer.id)} />`}
    <//>
  `;
}

/** My upload with what the server tells of it: its count of bytes is the true one. */
function Mine({ upload, told, room }) {
  const { t } = useWords();
  const { key, name, size, state, url, code, message } = upload;
  const { uploads } = room.sending;
  const failed = state === "failed" && errorWords(t, code, message);
  const sending = state === "sending" || state === "sent";
  return html`
    <${TransferCard} mine name=${name} from=${room.you.value} received=${told?.received ?? upload.sent} size=${size} rate=${sending && told?.rate} state=${sending ? "receiving" : state} failed=${failed}>
      ${failed && html`<${Button} icon="retry" words=${t("transfer.retry", { name })} press=${() => uploads.resume(key)} />`}
      ${url && state === "sending" && html`<${Button} icon="pause" words=${t("transfer.pause", { name })} press=${() => uploads.pause(key)} />`}
      ${state === "paused" && html`<${Button} icon="resume" words=${t("transfer.resume", { name })} press=${() => uploads.resume(key)} />`}
      <${Button} icon="close" words=${t("transfer.cancel", { name })} press=${() => room.sending.cancel(upload)} />
    <//>
  `;
}

/** Begun by an earlier page, which had the file in its hand; this one has to be given it once more. */
function Halfway({ upload, told, room }) {
  const { notices } = useHouse();
  const { t, lang } = useWords();
  const { name, size } = upload;
  const choose = ({ target }) => {
    const [file] = target.files;
    if (file && !room.sending.goOn(upload, file)) notices.tell(t("transfer.other", { name, size: bytes(size, lang) }), "bad");
    target.value = "";
  };
  return html`
    <${TransferCard} mine name=${name} from=${room.you.value} received=${told?.received} size=${size} state="halfway">
      <label class="icon-button choose" title=${t("transfer.choose", { name })}>
        <${Icon} name="attach" />
        <input type="file" class="only-read" aria-label=${t("transfer.choose", { name })} onChange=${choose} />
      </label>
      <${Button} icon="close" words=${t("transfer.cancel", { name })} press=${() => room.sending.cancel(upload)} />
    <//>
  `;
}

function Button({ icon, words, press }) {
  return html`<button type="button" class="icon-button" aria-label=${words} title=${words} onClick=${press}><${Icon} name=${icon} /></button>`;
}
