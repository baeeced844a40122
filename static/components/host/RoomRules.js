// The rules of the room, in a window of their own: what it is about, who speaks, who enters.

import { html } from "../html.js";
import { useWords } from "../house.js";

// bridge/gate.py
const TOPIC_MAX_CHARS = 200;
const PIN_MIN_CHARS = 4;
const PIN_MAX_CHARS = 32;

export function RoomRules({ room, close }) {
  const { t } = useWords();
  const { topic, readOnly } = room.rules;
  const submit = (event) => {
    event.preventDefault();
    room.company.value.rule({ topic: event.target.elements.topic.value });
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
    <button type="button" class="menu-item" role="switch" aria-checked=${readOnly.value} onClick=${() => room.company.value.rule({ read_only: !readOnly.value })}>
      <span class="menu-words"><span>${t("rules.readOnly")}</span><span class="menu-note">${t("rules.readOnlyNote")}</span></span>
      <span class="switch" aria-hidden="true"></span>
    </button>
    <${Pin} room=${room} />
  `;
}

/** Nobody reads it back, not even a host: another one may be set, or none. */
function Pin({ room }) {
  const { t } = useWords();
  const submit = (event) => {
    event.preventDefault();
    room.company.value.rule({ pin: event.target.elements.pin.value });
    event.target.reset();
  };
  return html`
    <form class="rules-form" onSubmit=${submit}>
      <label for="room-pin">${t(room.rules.pin.value ? "rules.pinSet" : "rules.pinNone")}</label>
      <div class="rules-field">
        <input id="room-pin" name="pin" required minlength=${PIN_MIN_CHARS} maxlength=${PIN_MAX_CHARS} pattern="\\S+" autocomplete="off" />
        <button type="submit" class="main-button">${t("rules.set")}</button>
        ${room.rules.pin.value && html`<button type="button" class="quiet-button" onClick=${() => room.company.value.rule({ pin: "" })}>${t("rules.pinAway")}</button>`}
      </div>
    </form>
  `;
}
