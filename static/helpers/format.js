// Numbers and moments, the way people say them: sizes, rates, durations, times of day.

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

const formatters = new Map();

function formatter(kind, lang, options) {
  const name = `${kind} ${lang} ${JSON.stringify(options)}`;
  if (!formatters.has(name)) formatters.set(name, new Intl[kind](lang, options));
  return formatters.get(name);
}

/** "14:05" on the reader's own clock. */
export const clock = (at, lang) => formatter("DateTimeFormat", lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);

/** The whole moment, for whoever asks by hovering. */
export const moment = (at, lang) => formatter("DateTimeFormat", lang, { dateStyle: "full", timeStyle: "medium" }).format(at);

/** "Today", "Yesterday" or "Monday, 23 November". */
export function day(at, now, lang) {
  const apart = dayNumber(now) - dayNumber(at);
  if (apart === 0 || apart === 1) {
    const word = formatter("RelativeTimeFormat", lang, { numeric: "auto" }).format(-apart, "day");
    return word.charAt(0).toLocaleUpperCase(lang) + word.slice(1);
  }
  const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  return formatter("DateTimeFormat", lang, { weekday: "long", day: "numeric", month: "long", year }).format(at);
}

/** Days since the epoch on the reader's calendar: equal numbers are one day. */
export function dayNumber(at) {
  const date = new Date(at);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
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

/** UTF-8 bytes, which is how the wire counts a text. */
export const byteLength = (text) => new TextEncoder().encode(text).length;
