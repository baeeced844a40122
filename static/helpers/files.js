// Questions about a file that its name, size or type answers.

// The types that the server serves for looking at rather than for saving; SVG can carry script and is not among them.
const PREVIEW = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

export const hasPreview = (file) => PREVIEW.has(file.media_type);

/** The few signs on a file's icon: its ending, when it is short enough to be one. */
export function endingOf(name) {
  const found = /\.([\p{L}\p{N}]{1,5})$/u.exec(name);
  return found ? found[1].toLocaleUpperCase() : "";
}

/** A pasted picture is always called "image.png"; give it a name that two pastes do not share. */
export function pastedName(name, now) {
  const two = (number) => String(number).padStart(2, "0");
  const date = new Date(now);
  const stamp = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join("");
  return name.replace(/^image(\.\w+)$/, `pasted-${stamp}-${time}$1`);
}

/** A file name fit for the address line: the server takes the part after the last slash. */
export const uploadPath = (room, name) => `/r/${encodeURIComponent(room)}/${encodeURIComponent(name)}`;
