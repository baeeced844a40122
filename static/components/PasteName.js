// A pasted picture has no name of its own: here it gets one before it is sent.

import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { pastedName } from "../helpers/files.js";
import { html } from "./html.js";
import { useHouse, useWords } from "./house.js";
import { useSendFiles } from "./useSendFiles.js";

export function PasteName() {
  const { view } = useHouse();
  const { t } = useWords();
  const sendFiles = useSendFiles();
  const [file, ...others] = view.pasted.value;
  const proposed = pastedName(file.name, Date.now());
  const ending = proposed.slice(proposed.lastIndexOf("."));
  const src = useLook(file);
  const field = useRef(null);
  // All but the ending is marked, to be typed over.
  useEffect(() => {
    field.current.focus();
    field.current.setSelectionRange(0, proposed.length - ending.length);
  }, [file]);
  const submit = (event) => {
    event.preventDefault();
    const typed = event.target.elements.name.value.trim() || proposed;
    sendFiles([file], typed.endsWith(ending) ? typed : `${typed}${ending}`);
    view.pasted.value = others;
    if (!others.length) view.close();
  };
  return html`
    <form class="paste-form" onSubmit=${submit} key=${others.length}>
      ${src && html`<img class="whole-picture" src=${src} alt="" />`}
      <label for="paste-name">${t("paste.name")}</label>
      <div class="rules-field">
        <input id="paste-name" name="name" defaultValue=${proposed} maxlength="200" autocomplete="off" ref=${field} enterkeyhint="send" />
        <button type="submit" class="main-button">${t("composer.send")}</button>
      </div>
    </form>
  `;
}

function useLook(file) {
  const [src, show] = useState(null);
  useEffect(() => {
    const url = URL.createObjectURL(file);
    show(url);
    return () => URL.revokeObjectURL(url);
  }, [file]);
  return src;
}
