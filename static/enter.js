// The room's composition root: its model with the shelves that it remembers by, and its screen.

import { effect, signal } from "./vendor/signals.js";
import { surroundings, wordsStand } from "./components/around.js";
import { html } from "./components/html.js";
import { fetchAll } from "./components/lazy.js";
import { platform, shelf } from "./components/platform.js";
import { RoomView } from "./components/RoomView.js";
import { newKey } from "./helpers/keys.js";
import { errorWords } from "./helpers/words.js";
import { Aliases } from "./models/aliases.js";
import { Room } from "./models/room.js";

const REST_AFTER_MS = 3000; // what nobody needed so far

/** Sit down under this name; answers the screen. */
export function enter(house, name) {
  const { language, notices, page } = house;
  const refused = ({ code, message }) => notices.tell(errorWords(language.t.value, code, message), "bad");
  const room = new Room({
    page,
    me: { name, client: authorOfThisBrowser() },
    platform,
    shelves: Object.fromEntries(["outbox", "mine", "seen"].map((kind) => [kind, shelf(`${kind}.${page.name}`)])),
    newKey,
    refused,
  });
  Object.assign(house, { room, refused, composer: keptDraft(page.name), aliases: new Aliases(shelf("aliases")) });
  room.connection.open();
  addEventListener("online", () => room.connection.now());
  document.addEventListener("visibilitychange", () => document.hidden || room.connection.now());
  platform.later(REST_AFTER_MS, () => wordsStand(house));
  surroundings().then(() => platform.later(REST_AFTER_MS, fetchAll));
  return html`<${RoomView} room=${room} />`;
}

/** The secret that makes this browser the same author tomorrow. */
function authorOfThisBrowser() {
  const place = shelf("client");
  const client = place.read() ?? newKey();
  place.write(client);
  return client;
}

/** The half-written message, kept as it is typed. */
function keptDraft(room) {
  const place = shelf(`draft.${room}`);
  const text = signal(place.read() ?? "");
  effect(() => place.write(text.value));
  return text;
}
