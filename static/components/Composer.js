// Where words are written: Enter says them, Shift+Enter begins a new line, and a half-written one is kept.

import { useEffect, useLayoutEffect, useRef } from "../vendor/preact-hooks.js";
import { byteLength } from "../helpers/plain.js";
import { around } from "./around.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { Icon } from "./Icon.js";
import { useSendFiles } from "./useSendFiles.js";

const Length = around("Length");

export function Composer({ room }) {
  const { page, composer } = useHouse();
  const { t } = useWords();
  const sendFiles = useSendFiles();
  const area = useRef(null);
  const picker = useRef(null);
  const text = composer.value;
  const used = byteLength(text);
  const tooLong = used > page.textMaxBytes;

  useEffect(() => {
    // On a touch screen this would open the keyboard over the room before anyone has seen it.
    if (matchMedia("(pointer: fine)").matches) area.current.focus({ preventScroll: true });
  }, []);
  useLayoutEffect(() => fit(area.current), [text]);

  const say = (event) => {
    event?.preventDefault();
    if (!text.trim() || tooLong) return;
    composer.value = "";
    room.say(text.trimEnd());
    area.current.focus();
  };
  const press = (event) => {
    if (event.key === "ArrowUp" && !text && !event.isComposing) takeUpLast(event);
    // Enter that ends a composition chooses a Chinese word and says nothing. Safari ends the composition before the
    // key comes, and marks such a key with code 229.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    say(event);
  };
  /** What I said last, to be said once more or better. */
  const takeUpLast = (event) => {
    const said = room.log.items.value.findLast((entry) => entry.type === "text" && room.mine.has(entry));
    const last = room.outbox.drafts.value.at(-1) ?? said; // what was said just now may not be back yet
    if (!last) return;
    event.preventDefault();
    composer.value = last.text;
  };
  const write = (event) => {
    composer.value = event.target.value;
    if (composer.value) room.amTyping();
  };
  const choose = (event) => {
    sendFiles(event.target.files);
    event.target.value = "";
  };

  return html`
    <form class="composer" onSubmit=${say}>
      <div class="composer-box">
        <input type="file" multiple hidden ref=${picker} onChange=${choose} aria-label=${t("composer.attach")} />
        <button type="button" class="icon-button" aria-label=${t("composer.attach")} title=${t("composer.attach")} onClick=${() => picker.current.click()}>
          <${Icon} name="attach" />
        </button>
        <textarea
          ref=${area} rows="1" value=${text} aria-label=${t("composer.label")} placeholder=${t("composer.label")} dir="auto"
          enterkeyhint="send" aria-invalid=${tooLong ? "true" : undefined} aria-describedby="composer-count"
          onInput=${write} onKeyDown=${press}
        ></textarea>
        <button type="submit" class="icon-button send" aria-label=${t("composer.send")} title=${t("composer.send")} disabled=${!text.trim() || tooLong}>
          <${Icon} name="send" />
        </button>
      </div>
      <p id="composer-count" class=${`composer-count ${tooLong ? "bad" : ""}`}>
        <${Length} room=${room} text=${text} used=${used} />
      </p>
    </form>
  `;
}

/** As high as its words, within what styles/composer.css allows. */
function fit(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}
