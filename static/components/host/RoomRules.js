// The rules of the room, in a window of their own: what it is about, and who speaks.

import { html } from "../html.js";
import { useWords } from "../house.js";

const TOPIC_MAX_CHARS = 200; // bridge/gate.py

export function RoomRules({ room, close }) {
  const { t } = useWords();
  const { topic, readOnly } = room.rules;
  const submit = (event) => {
    event.preventDefault();
    room.rule({ topic: event.target.elements.topic.value });
    close();
  };
  return html`
    <form class="rules-form" onSubmit=${submit}>
      <label for="room-topic">${t("rules.topic")}</label>
      <div class="rules-field">
        <input id="room-topic" name="topic" defaultValue=${topic.value} maxlength=${TOPIC_MAX_CHARS} autocomplete="off" dir="auto" />
        <button type="submit" class="main-button">${t("rules.set")}</button>
      </div>
    </form>
    <button type="button" class="menu-item" role="switch" aria-checked=${readOnly.value} onClick=${() => room.rule({ read_only: !readOnly.value })}>
      <span class="menu-words"><span>${t("rules.readOnly")}</span><span class="menu-note">${t("rules.readOnlyNote")}</span></span>
      <span class="switch" aria-hidden="true"></span>
    </button>
  `;
}
