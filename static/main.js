// The page's composition root: read what the server wrote into the page, and draw its door or its room.

import { render } from "./vendor/preact.js";
import "./vendor/signals.js"; // signals that are read while something is drawn draw it again
import { html } from "./components/html.js";
import { House } from "./components/house.js";
import { Notices as Words } from "./components/Notices.js";
import { platform, shelf } from "./components/platform.js";
import { tidyName } from "./helpers/names.js";
import { Language } from "./models/language.js";
import { Notices } from "./models/notices.js";

const firstPaint = document.getElementById("first-paint");
const page = pageData();
const nameShelf = shelf("name");
const joinedShelf = shelf("joined", () => sessionStorage); // neither a reload nor another room is a new visit
const name = tidyName(new URLSearchParams(location.search).get("name") ?? "") || joinedShelf.read();
const theRoom = () => import("./enter.js");

const language = new Language(
  (lang) => platform.get(`/static/i18n/${lang}.json`),
  (lang) => {
    document.documentElement.lang = lang;
    document.cookie = `lang=${lang}; path=/; max-age=31536000; samesite=lax`;
  },
);
const house = { page, language, nameShelf, notices: new Notices(platform) };

// A link's token did its work, or was not needed: it shall not be read over a shoulder.
if (location.hash.startsWith("#token=")) history.replaceState(history.state, "", location.pathname + location.search);

const [, { enter, Join, PinDoor }] = await Promise.all([
  language.speak(page.lang),
  page.locked ? import("./components/PinDoor.js") : name ? theRoom() : import("./components/Join.js"),
]);
if (enter) await join(name);
if (Join) atDoor(html`<${Join} join=${join} remembered=${nameShelf.read()} read=${prepare} />`);
if (PinDoor) atDoor(html`<${PinDoor} />`);

/** The room is seen behind it, and out of reach. */
function atDoor(door) {
  firstPaint.inert = true;
  window.earlyKeys.take(); // they were not meant for it
  draw(door);
}

function draw(screen) {
  render(html`<${House.Provider} value=${house}>${screen}<${Words} /><//>`, document.getElementById("app"));
}

/** While somebody reads the door, the room behind it comes. */
function prepare() {
  theRoom().catch(() => {}); // whoever enters asks again
}

/** Take a name and sit down. */
async function join(name) {
  nameShelf.write(name);
  joinedShelf.write(name);
  const { enter } = await theRoom();
  if (house.room) return; // pressed twice
  firstPaint.remove();
  draw(enter(house, name));
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
