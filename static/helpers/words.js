// The page's words in one language: look up, fill in, and choose the right plural.

/** `t("people", {n: 3})` from `{"people": {"one": "{n} person", "other": "{n} people"}}`. A missing key shows itself. */
export function wordsOf(dictionary, lang) {
  const plural = new Intl.PluralRules(lang);
  const number = new Intl.NumberFormat(lang);
  return (key, values = {}) => {
    const found = dictionary[key] ?? key;
    const sentence = typeof found === "string" ? found : (found[plural.select(values.n ?? 0)] ?? found.other);
    return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
      if (!(name in values)) return whole;
      return typeof values[name] === "number" ? number.format(values[name]) : String(values[name]);
    });
  };
}

/** The sentence for an error code; codes we do not know yet fall back to what the server said. */
export function errorWords(t, code, message) {
  const key = `error.${code}`;
  const words = t(key);
  return words === key ? message || t("error.unknown") : words;
}
