// A file looked at without saving it: a picture at full size, the beginning of a text, or something to play.

import { useEffect, useState } from "../vendor/preact-hooks.js";
import { bytes } from "../helpers/format.js";
import { TEXT_PREVIEW_BYTES, kindOf, textOf } from "../helpers/files.js";
import { Look } from "./FileCard.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { Sheet } from "./Sheet.js";

export function Preview({ file, close }) {
  const { t } = useWords();
  return html`
    <${Sheet} title=${file.name} wide close=${close}>
      <${Whole} file=${file} />
      <a class="quiet-button" href=${file.url} download=${file.name}><${Icon} name="save" />${t("file.saveShort")}</a>
    <//>
  `;
}

function Whole({ file }) {
  switch (kindOf(file)) {
    case "image":
      return html`<img class="whole-picture" src=${file.url} alt=${file.name} />`;
    case "text":
      return html`<${TextBeginning} file=${file} />`;
    default:
      return html`<${Look} file=${file} />`;
  }
}

function TextBeginning({ file }) {
  const { t, lang } = useWords();
  const [text, show] = useState(null);
  useEffect(() => {
    let here = true;
    firstBytes(file.url, TEXT_PREVIEW_BYTES).then(
      (data) => here && show(textOf(data)),
      () => here && show(t("error.unreachable")),
    );
    return () => {
      here = false;
    };
  }, [file]);
  return html`
    <pre class="text-preview" tabindex="0" role="region" aria-label=${file.name} dir="auto">${text ?? t("search.asking")}</pre>
    ${file.size > TEXT_PREVIEW_BYTES && html`<p class="panel-note">${t("file.beginning", { part: bytes(TEXT_PREVIEW_BYTES, lang), whole: bytes(file.size, lang) })}</p>`}
  `;
}

/** At most `most` bytes of a file, from its beginning. */
async function firstBytes(url, most) {
  const answer = await fetch(url, { headers: { Range: `bytes=0-${most - 1}` } });
  if (answer.status === 416) return new ArrayBuffer(0); // an empty file has no first byte
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.arrayBuffer();
}
