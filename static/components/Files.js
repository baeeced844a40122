// All files of the room, to be found, sorted, saved, and seen where they were sent.

import { useEffect, useState } from "../vendor/preact-hooks.js";
import { ago, bytes } from "../helpers/format.js";
import { SORTS } from "../models/files.js";
import { Copies, Opener } from "./FileCard.js";
import { FileIcon } from "./FileIcon.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { useNow } from "./useNow.js";
import { Withdraw } from "./Withdraw.js";

const ORDER = {
  newest: (a, b) => b.seq - a.seq,
  name: (a, b) => a.file.name.localeCompare(b.file.name, undefined, { numeric: true }),
  size: (a, b) => b.file.size - a.file.size,
};

export function Files({ room }) {
  const { aliases } = useHouse();
  const { t } = useWords();
  const [wanted, want] = useState("");
  const [sort, sortBy] = useState("newest");
  const { entries, more, state } = room.files;
  useEffect(() => {
    room.files.open();
  }, [room]);
  const needle = wanted.trim().toLocaleLowerCase();
  const shown = entries.value
    .filter(({ file, from }) => `${file.name}\n${from.name}\n${aliases.nameOf(from)}`.toLocaleLowerCase().includes(needle))
    .sort(ORDER[sort]);
  return html`
    <div class="files-tools">
      <label class="only-read" for="files-filter">${t("files.filter")}</label>
      <input id="files-filter" class="panel-field" type="search" value=${wanted} placeholder=${t("files.filter")} onInput=${(event) => want(event.target.value)} />
      <label class="only-read" for="files-sort">${t("files.sort")}</label>
      <select id="files-sort" value=${sort} onChange=${(event) => sortBy(event.target.value)}>
        ${SORTS.map((name) => html`<option value=${name}>${t(`files.${name}`)}</option>`)}
      </select>
    </div>
    ${!shown.length && html`<p class="panel-note">${noneWords(t, state.value, entries.value.length)}</p>`}
    <ul class="files">${shown.map((entry) => html`<${FileRow} key=${entry.seq} entry=${entry} room=${room} />`)}</ul>
    ${entries.value.length > 0 && html`<a class="quiet-button" href=${`${room.path}/files.zip`} download><${Icon} name="save" />${t("files.all")}</a>`}
    ${more.value && html`<button type="button" class="quiet-button" disabled=${state.value === "asking"} onClick=${() => room.files.older()}>${t("search.older")}</button>`}
  `;
}

function FileRow({ entry, room }) {
  const { aliases } = useHouse();
  const { t, lang } = useWords();
  const [open, toggle] = useState(false);
  const { seq, at, from, file } = entry;
  const mine = room.mine.has(entry);
  const more = t("file.more", { name: file.name });
  const now = useNow(30_000);
  return html`
    <li class="file-row">
      <${FileIcon} name=${file.name} />
      <span class="card-words">
        <a class="file-link" href=${`#${seq}`} title=${t("files.where")}><bdi>${file.name}</bdi></a>
        <span class="card-note"><span>${bytes(file.size, lang)} · <bdi title=${from.name}>${aliases.nameOf(from)}</bdi> · ${ago(at, now, lang)}</span></span>
      </span>
      <a class="icon-button" href=${file.url} download=${file.name} aria-label=${t("file.save", { name: file.name })} title=${t("file.save", { name: file.name })}><${Icon} name="save" /></a>
      <button type="button" class=${`icon-button ${open ? "turned" : ""}`} aria-expanded=${open} aria-label=${more} title=${more} onClick=${() => toggle(!open)}><${Icon} name="more" /></button>
      ${open &&
      html`
        <div class="file-tools">
          <${Opener} file=${file} all>${t("file.openShort")}<//>
          <${Copies} file=${file} />
          ${(mine || room.rules.host.value) && html`<${Withdraw} entry=${entry} room=${room} mine=${mine} home=".panel" />`}
        </div>
      `}
    </li>
  `;
}

function noneWords(t, state, count) {
  if (state === "failed") return t("error.unreachable");
  if (state !== "done") return t("search.asking");
  return count ? t("search.none") : t("files.none");
}
