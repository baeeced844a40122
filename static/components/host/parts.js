// All that a host sees and others do not.

export { HostTools } from "./HostTools.js";
export { Knocks } from "./Knocks.js";
export { RoomRules } from "./RoomRules.js";
