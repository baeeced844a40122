// What the room is about, under its name; for a host it leads to the rules.

import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";

export function Topic({ room }) {
  const { view } = useHouse();
  const { t } = useWords();
  const { host, topic } = room.rules;
  if (!topic.value) return null;
  const words = html`<bdi>${topic.value}</bdi>`;
  if (!host.value) return html`<p class="topic" title=${topic.value}>${words}</p>`;
  return html`<p class="topic"><button type="button" class="topic-button" title=${t("rules.title")} onClick=${() => view.open("rules")}>${words}</button></p>`;
}
