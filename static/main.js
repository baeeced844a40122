// The page's composition root: read what the server wrote into the page, build the models, draw.

import { render } from "./vendor/preact.js";
import { effect, signal } from "./vendor/signals.js";
import { App } from "./components/App.js";
import { html } from "./components/html.js";
import { fetchAll } from "./components/lazy.js";
import { platform, shelf } from "./components/platform.js";
import { newKey } from "./helpers/keys.js";
import { tidyName } from "./helpers/names.js";
import { errorWords } from "./helpers/words.js";
import { Aliases } from "./models/aliases.js";
import { Language } from "./models/language.js";
import { Notices } from "./models/notices.js";
import { Room } from "./models/room.js";
import { RoomList } from "./models/rooms.js";
import { Settings } from "./models/settings.js";
import { View } from "./models/view.js";

const REST_AFTER_MS = 3000; // what nobody needed so far

const firstPaint = document.getElementById("first-paint");
const page = pageData();
const nameShelf = shelf("name");
const joinedShelf = shelf("joined", () => sessionStorage); // neither a reload nor another room is a new visit

const language = new Language(
  (lang) => platform.get(`/static/i18n/${lang}.json`),
  (lang) => {
    document.documentElement.lang = lang;
    document.cookie = `lang=${lang}; path=/; max-age=31536000; samesite=lax`;
  },
);
await language.speak(page.lang);

const notices = new Notices(platform);
const settings = new Settings(shelf("theme"), showTheme);
const rooms = new RoomList(platform, (name) => shelf(`seen.${name}`).read());
const big = signal(false); // for a projector
const aliases = new Aliases(shelf("aliases"));
const house = { page, language, notices, settings, aliases, nameShelf, rooms, big, view: new View(), composer: keptDraft(), room: signal(null) };
effect(() => document.documentElement.classList.toggle("big", big.value));

// A link's token did its work, or was not needed: it shall not be read over a shoulder.
if (location.hash.startsWith("#token=")) history.replaceState(history.state, "", location.pathname + location.search);

const given = tidyName(new URLSearchParams(location.search).get("name") ?? "");
if (page.locked) {
  const { PinDoor } = await import("./components/PinDoor.js");
  firstPaint.inert = true;
  render(html`<${PinDoor} house=${house} />`, document.getElementById("app"));
} else {
  if (given || joinedShelf.read()) join(given || joinedShelf.read());
  else knockFirst();
  render(html`<${App} house=${house} join=${join} remembered=${nameShelf.read()} />`, document.getElementById("app"));
}

/** The door stands before the room: keys that were pressed so far were not for it. */
function knockFirst() {
  window.earlyKeys.take();
  firstPaint.inert = true;
}

/** Take a name and sit down. */
function join(name) {
  nameShelf.write(name);
  joinedShelf.write(name);
  const room = new Room({
    page,
    me: { name, client: authorOfThisBrowser() },
    platform,
    shelves: Object.fromEntries(["outbox", "mine", "seen", "unfinished"].map((name) => [name, shelf(`${name}.${page.name}`)])),
    newKey,
    refused: ({ code, message }) => notices.tell(errorWords(language.t.value, code, message), "bad"),
  });
  house.room.value = room;
  firstPaint.remove();
  room.connection.open();
  platform.later(REST_AFTER_MS, fetchAll);
  addEventListener("online", () => room.connection.now());
  document.addEventListener("visibilitychange", () => document.hidden || room.connection.now());
  addEventListener("hashchange", () => goToAddress(room));
  goToAddress(room);
}

/** `#42` in the address is entry 42. */
async function goToAddress(room) {
  const [, seq] = /^#(\d{1,15})$/.exec(location.hash) ?? [];
  if (!seq) return;
  const found = await room.history.to(Number(seq)).catch(() => false);
  if (!found) notices.tell(language.t.value("error.not_found"), "bad");
}

/** What the server wrote into the page: attributes, since no script may stand in it. */
function pageData() {
  const { room, lang, locked, count, lastSeq, epoch, defaultRoom, textMaxBytes, maxFileBytes } = document.body.dataset;
  return {
    name: room,
    lang,
    locked: locked !== undefined,
    epoch,
    defaultRoom,
    count: Number(count),
    lastSeq: Number(lastSeq),
    textMaxBytes: Number(textMaxBytes),
    maxFileBytes: Number(maxFileBytes),
    entries: Array.from(firstPaint.querySelectorAll("[data-json]"), (element) => JSON.parse(element.dataset.json)),
  };
}

/** The secret that makes this browser the same author tomorrow. */
function authorOfThisBrowser() {
  const place = shelf("client");
  const client = place.read() ?? newKey();
  place.write(client);
  return client;
}

/** The half-written message, kept as it is typed. */
function keptDraft() {
  const place = shelf(`draft.${page.name}`);
  const text = signal(place.read() ?? "");
  effect(() => place.write(text.value));
  return text;
}

function showTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
