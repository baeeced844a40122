// Questions about a file that its name, size or type answers.

export const TEXT_PREVIEW_BYTES = 64 * 1024;
export const SMALL_PICTURE_BYTES = 64 * 1024;

// The types that the server serves for looking at rather than for saving; SVG can carry script and is not among them.
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

/** "image", "video", "audio", "text" or "pdf": how it can be looked at; null when it can only be saved. */
export function kindOf({ media_type: type = "" }) {
  if (IMAGES.has(type)) return "image";
  if (type === "application/pdf") return "pdf";
  const [family] = type.split("/");
  return ["video", "audio", "text"].includes(family) && type !== "text/html" ? family : null;
}

/** Where a look at a picture comes from: a small one is taken as it is, of a large one the server makes a thumbnail. */
export const lookAt = ({ id, url, size, width }) => (width && size > SMALL_PICTURE_BYTES ? `/thumbs/${id}` : url);

/** Bytes as a text: UTF-8, else GB18030, as the server reads what is said; a sign cut in two at the end is left out. */
export function textOf(data) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data, { stream: true });
  } catch {
    return new TextDecoder("gb18030").decode(data);
  }
}

/** The few signs on a file's icon: its ending, when it is short enough to be one. */
export function endingOf(name) {
  const found = /\.([\p{L}\p{N}]{1,5})$/u.exec(name);
  return found ? found[1].toLocaleUpperCase() : "";
}

/** A line for a terminal that saves the file under its own name, whatever signs are in it. */
export const curlLine = (url, name) => `curl -o '${name.replaceAll("'", "'\\''")}' '${url}'`;

/** A pasted picture is always called "image.png": nobody named it. */
export const isNameless = ({ name }) => /^image\.\w+$/.test(name);

/** A name for it that two pastes do not share. */
export function pastedName(name, now) {
  const two = (number) => String(number).padStart(2, "0");
  const date = new Date(now);
  const stamp = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join("");
  return name.replace(/^image(\.\w+)$/, `pasted-${stamp}-${time}$1`);
}

/** A file name fit for the address line: the server takes the part after the last slash. */
export const uploadPath = (room, name) => `/r/${encodeURIComponent(room)}/${encodeURIComponent(name)}`;
