// Which wish is this key? All of them have a button too; the help sheet lists them.

/** The name of the wish, or null. `typing`: the key was pressed in a field, where letters are letters. */
export function wishOf({ key, code, ctrlKey, metaKey, altKey, shiftKey, isComposing }, typing) {
  if (isComposing) return null;
  if ((ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === "k") return "rooms";
  if ((ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === "u") return "attach";
  if (altKey && !ctrlKey && !metaKey && /^Digit[1-4]$/.test(code)) return `tab-${code.at(-1)}`; // a Mac writes ¡ for Alt+1
  if (key === "Escape") return "end";
  if (typing || ctrlKey || metaKey || altKey) return null;
  return { "/": "search", "?": "help" }[key] ?? null;
}
