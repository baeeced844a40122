// A file that is here: what it is, how large, a look at it, and the ways to get it.

import { useState } from "../vendor/preact-hooks.js";
import { bytes } from "../helpers/format.js";
import { curlLine, kindOf, lookAt } from "../helpers/files.js";
import { FileIcon } from "./FileIcon.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { useCopy } from "./useCopy.js";

export function FileCard({ file }) {
  const { t, lang } = useWords();
  const [open, toggle] = useState(false);
  const more = t("file.more", { name: file.name });
  return html`
    <div class="card" data-file=${file.id}>
      <${Look} file=${file} />
      <div class="card-row">
        <${FileIcon} name=${file.name} />
        <span class="card-words">
          <bdi class="card-name">${file.name}</bdi>
          <span class="card-note">${bytes(file.size, lang)}</span>
        </span>
        <${Opener} file=${file} />
        <a class="icon-button" href=${file.url} download=${file.name} aria-label=${t("file.save", { name: file.name })} title=${t("file.save", { name: file.name })}>
          <${Icon} name="save" />
        </a>
        <button type="button" class=${`icon-button ${open ? "turned" : ""}`} aria-expanded=${open} aria-label=${more} title=${more} onClick=${() => toggle(!open)}>
          <${Icon} name="more" />
        </button>
      </div>
      ${open && html`<div class="card-details"><${Copies} file=${file} /></div>`}
    </div>
  `;
}

/** What can be seen or heard right here. */
export function Look({ file }) {
  switch (kindOf(file)) {
    case "image":
      return html`<${Picture} file=${file} />`;
    case "video":
      return html`<video class="player" src=${file.url} controls preload="metadata" aria-label=${file.name}></video>`;
    case "audio":
      return html`<audio class="player" src=${file.url} controls preload="metadata" aria-label=${file.name}></audio>`;
    default:
      return null;
  }
}

/** Where there is no thumbnail after all, the picture itself; what only began like a picture is a file like others. */
function Picture({ file }) {
  const { view } = useHouse();
  const { t } = useWords();
  const [src, look] = useState(lookAt(file));
  if (!src) return null;
  return html`
    <button type="button" class="preview" aria-label=${t("file.open", { name: file.name })} onClick=${() => (view.file.value = file)}>
      <img src=${src} width=${file.width} height=${file.height} alt="" loading="lazy" decoding="async" onError=${() => look(src === file.url ? null : file.url)} />
    </button>
  `;
}

/** What needs a window: a text in ours, a PDF in the browser's own; where there is no other look at it, with `all`, all kinds. */
export function Opener({ file, all = false, children }) {
  const { view } = useHouse();
  const { t } = useWords();
  const words = t("file.open", { name: file.name });
  const look = children ? "quiet-button" : "icon-button";
  const kind = kindOf(file);
  if (kind === "pdf") return html`<a class=${look} href=${file.url} target="_blank" rel="noopener noreferrer" aria-label=${words} title=${words}><${Icon} name="open" />${children}</a>`;
  if (!kind || (kind !== "text" && !all)) return null;
  return html`<button type="button" class=${look} aria-label=${words} title=${words} onClick=${() => (view.file.value = file)}><${Icon} name="look" />${children}</button>`;
}

/** What of a file can be copied. */
export function Copies({ file }) {
  const { t } = useWords();
  const copy = useCopy();
  const url = new URL(file.url, location.href).href;
  return html`
    <button type="button" class="quiet-button" onClick=${() => copy(url)}><${Icon} name="link" />${t("file.link")}</button>
    <button type="button" class="quiet-button" onClick=${() => copy(curlLine(url, file.name))}><${Icon} name="terminal" />${t("file.curl")}</button>
    <button type="button" class="quiet-button digest" title=${file.sha256} onClick=${() => copy(file.sha256)}><${Icon} name="copy" /><span>SHA-256</span> <span class="mono">${file.sha256?.slice(0, 12)}…</span></button>
  `;
}
