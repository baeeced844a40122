// Moments, the way people say them: a day, a time of day.

const formatters = new Map();

/** One of `Intl`'s formatters; each is made once. */
export function formatter(kind, lang, options) {
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
