// A file that is here: what it is, how large, and the ways to get it.

import { bytes } from "../helpers/format.js";
import { hasPreview } from "../helpers/files.js";
import { FileIcon } from "./FileIcon.js";
import { html } from "./html.js";
import { useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { useCopy } from "./useCopy.js";

export function FileCard({ file }) {
  const { t, lang } = useWords();
  const copy = useCopy();
  return html`
    <div class="card" data-file=${file.id}>
      ${hasPreview(file) &&
      html`
        <a class="preview" href=${file.url} target="_blank" rel="noopener noreferrer" aria-label=${t("file.open", { name: file.name })}>
          <img src=${file.url} alt="" loading="lazy" decoding="async" />
        </a>
      `}
      <div class="card-row">
        <${FileIcon} name=${file.name} />
        <span class="card-words">
          <bdi class="card-name">${file.name}</bdi>
          <span class="card-note">${bytes(file.size, lang)}</span>
        </span>
        <a class="icon-button" href=${file.url} download=${file.name} aria-label=${t("file.save", { name: file.name })} title=${t("file.save", { name: file.name })}>
          <${Icon} name="save" />
        </a>
        <button type="button" class="icon-button" aria-label=${t("file.link", { name: file.name })} title=${t("file.link", { name: file.name })} onClick=${() => copy(new URL(file.url, location.href).href)}>
          <${Icon} name="link" />
        </button>
      </div>
    </div>
  `;
}
