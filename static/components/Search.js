// Search over the whole room, with what stands around each hit; and the way to a day.

import { useEffect, useRef } from "../vendor/preact-hooks.js";
import { clock, day } from "../helpers/moments.js";
import { snippet } from "../helpers/snippet.js";
import { Badge } from "./Badge.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";

export function Search({ room }) {
  const { view } = useHouse();
  const { t } = useWords();
  const field = useRef(null);
  const { query, found, state, more } = room.search;
  useEffect(() => field.current.focus(), [view.wanted.value]);
  const submit = (event) => {
    event.preventDefault();
    if (state.value !== "idle") room.search.now();
  };
  return html`
    <form role="search" onSubmit=${submit}>
      <label class="only-read" for="search-field">${t("search.label")}</label>
      <input id="search-field" class="panel-field" type="search" ref=${field} value=${query.value} maxlength="200" placeholder=${t("search.label")} autocomplete="off" onInput=${(event) => room.search.type(event.target.value)} />
    </form>
    <p class="panel-note" role="status">${statusWords(t, state.value, found.value.length, more.value)}</p>
    <ol class="found">${found.value.map((entry) => html`<${Found} key=${entry.seq} entry=${entry} />`)}</ol>
    ${more.value && html`<button type="button" class="quiet-button" disabled=${state.value === "asking"} onClick=${() => room.search.older()}>${t("search.older")}</button>`}
    ${state.value === "idle" && html`<${ToDay} room=${room} />`}
  `;
}

function Found({ entry }) {
  const { aliases } = useHouse();
  const { t, lang } = useWords();
  const said = entry.file ? entry.file.name : entry.text;
  return html`
    <li>
      <a class="found-link" href=${`#${entry.seq}`}>
        <span class="found-head">
          <bdi class="found-name" title=${entry.from.name}>${aliases.nameOf(entry.from)}</bdi><${Badge} via=${entry.from.via} />
          <span class="found-time">${day(entry.at, Date.now(), lang)} ${clock(entry.at, lang)}</span>
        </span>
        <span class="found-text" dir="auto">
          ${entry.file && `${t("search.file")} `}${snippet(said, entry.hits).map(({ text, hit }) => (hit ? html`<mark>${text}</mark>` : text))}
        </span>
      </a>
    </li>
  `;
}

function ToDay({ room }) {
  const { notices, view } = useHouse();
  const { t } = useWords();
  const go = async (event) => {
    event.preventDefault();
    const at = new Date(`${event.target.elements.day.value}T00:00`).getTime();
    if (Number.isNaN(at)) return;
    try {
      await room.history.toMoment(at);
      if (view.sheet.value === "rail") view.close();
    } catch {
      notices.tell(t("error.unreachable"), "bad");
    }
  };
  return html`
    <form class="to-day" onSubmit=${go}>
      <label for="to-day">${t("search.day")}</label>
      <div class="to-day-row">
        <input id="to-day" name="day" type="date" required />
        <button type="submit" class="quiet-button">${t("search.go")}</button>
      </div>
    </form>
  `;
}

function statusWords(t, state, count, more) {
  if (state === "asking") return t("search.asking");
  if (state === "failed") return t("error.unreachable");
  if (state === "idle") return t("search.hint");
  if (!count) return t("search.none");
  return more ? t("search.someMore", { n: count }) : t("search.some", { n: count });
}
