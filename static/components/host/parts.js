// All that a host sees and others do not.

export { Knocks } from "./Knocks.js";
export { PersonTools } from "./PersonTools.js";
export { RoomRules } from "./RoomRules.js";
