// The composition root of what stands around the words of a room: its models, and its components for components/around.js.

import "./components/drawings.js";
import { carrier } from "./components/carrier.js";
import { platform, shelf } from "./components/platform.js";
import { newKey } from "./helpers/keys.js";
import { Company } from "./models/company.js";
import { RoomList } from "./models/rooms.js";
import { View } from "./models/view.js";

export { Beginning } from "./components/Beginning.js";
export { HeaderTools, RoomNews } from "./components/HeaderTools.js";
export { Length } from "./components/Length.js";
export { Marker } from "./components/Marker.js";
export { Refusal } from "./components/Refusal.js";
export { Surroundings } from "./components/Surroundings.js";
export { Tidings } from "./components/Tidings.js";
export { ToLatest } from "./components/ToLatest.js";
export { Transfers } from "./components/Transfers.js";
export { TypingWords } from "./components/TypingWords.js";
export { Withdraw } from "./components/Withdraw.js";
export { pasteFiles, sendFiles } from "./components/sendFiles.js";

/** Give the house's room its company, and whoever came for one entry that entry. */
export function furnish(house) {
  const { language, notices, page, refused, room } = house;
  house.view = new View();
  house.rooms = new RoomList(platform, (name) => shelf(`seen.${name}`).read());
  const shelves = { unfinished: shelf(`unfinished.${page.name}`) };
  room.welcome(new Company(room, { page, platform: { ...platform, ...carrier }, shelves, newKey, refused }));
  const go = async () => {
    const [, seq] = /^#(\d{1,15})$/.exec(location.hash) ?? [];
    if (!seq) return;
    const found = await room.history.to(Number(seq)).catch(() => false);
    if (!found) notices.tell(language.t.value("error.not_found"), "bad");
  };
  addEventListener("hashchange", go);
  go();
}
