// The door of a room with a PIN: one field. A right one earns a cookie, and the page begins anew with it.

import { useState } from "../vendor/preact-hooks.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";

export function PinDoor() {
  const { page } = useHouse();
  const { t } = useWords();
  const [wrong, tell] = useState(null); // the code of a refusal
  const submit = async (event) => {
    event.preventDefault();
    const field = event.target.elements.pin;
    const refused = await showPin(`/r/${encodeURIComponent(page.name)}/rules`, field.value);
    if (!refused) return location.reload();
    tell(refused);
    field.select();
  };
  return html`
    <main class="join">
      <form class="join-card" onSubmit=${submit}>
        <h1>${t("join.title")} <bdi class="room-name">${page.name}</bdi></h1>
        <label for="pin">${t("pin.label")}</label>
        <div class="join-field">
          <input id="pin" name="pin" type="password" required autocomplete="off" enterkeyhint="go" ref=${(input) => input?.focus()} aria-invalid=${wrong ? "true" : undefined} aria-describedby="pin-wrong" />
        </div>
        <p id="pin-wrong" class="hint bad" role="status">${wrong && t(wrong === "forbidden" ? "pin.wrong" : `error.${wrong}`)}</p>
        <button type="submit" class="main-button">${t("join.enter")}</button>
      </form>
    </main>
  `;
}

/** Show a room's PIN; answers the code of the refusal, or null when it was right. */
async function showPin(path, pin) {
  try {
    const answer = await fetch(path, { headers: { Accept: "application/json", "X-Pin": encodeURIComponent(pin) } });
    return answer.ok ? null : (await answer.json()).code;
  } catch {
    return "unreachable";
  }
}
