// Amounts, the way people say them: sizes, parts, how long something takes, and how long ago it was.

import { formatter } from "./moments.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `1536` is "1.5 KiB"; the units are the same in both languages. */
export function bytes(count, lang = "en") {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${new Intl.NumberFormat(lang, { maximumFractionDigits: digits }).format(value)} ${UNITS[unit]}`;
}

/** Whole percent, or null when the size is unknown; an empty file is there at once. */
export function percent(received, size) {
  if (!size) return size === 0 ? 100 : null;
  return Math.min(100, Math.floor((received / size) * 100));
}

/** Seconds left at this rate, or null when nobody can know. */
export function secondsLeft(received, size, rate) {
  if (size == null || !rate || rate <= 0 || received >= size) return null;
  return Math.ceil((size - received) / rate);
}

/** "12 sec. ago", "3 min. ago"; a moment in the future (clocks differ) is now. */
export function ago(at, now, lang) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  const [value, unit] =
    seconds < 60 ? [seconds, "second"]
    : seconds < 3600 ? [Math.floor(seconds / 60), "minute"]
    : seconds < 86_400 ? [Math.floor(seconds / 3600), "hour"]
    : [Math.floor(seconds / 86_400), "day"];
  return formatter("RelativeTimeFormat", lang, { numeric: "auto", style: "short" }).format(-value, unit);
}

/** Seconds as "7 s", "2 min", "1 h 5 min". */
export function duration(seconds, lang) {
  const unit = (value, name) => formatter("NumberFormat", lang, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  if (seconds < 60) return unit(seconds, "second");
  if (seconds < 3600) return unit(Math.ceil(seconds / 60), "minute");
  return `${unit(Math.floor(seconds / 3600), "hour")} ${unit(Math.floor((seconds % 3600) / 60), "minute")}`;
}
