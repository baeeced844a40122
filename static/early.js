// Before the first paint, and so not a module.

// The reader's own choice of light or dark, without a flash of the other.
try {
  const theme = JSON.parse(localStorage.getItem("roombridge.theme"));
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is forbidden or holds nothing: follow the system
}

// Keys that are pressed while the page's modules are still on their way: components/useKeys.js takes them up.
window.earlyKeys = {
  pressed: [],
  keep(event) {
    const { key, code, altKey } = event;
    const typing = event.target.matches?.("input, textarea, select") && /^[/?]$/.test(key);
    const chord = event.ctrlKey || event.metaKey;
    const ours = chord ? /^[ku]$/i.test(key) : altKey ? /^Digit[1-4]$/.test(code) : /^([/?]|Escape)$/.test(key);
    if (!ours || typing) return;
    event.preventDefault(); // else the browser shows the page's source, or a search of its own
    window.earlyKeys.pressed.push(event);
  },
  /** Those so far; from now on somebody else listens. */
  take() {
    removeEventListener("keydown", window.earlyKeys.keep);
    return window.earlyKeys.pressed.splice(0);
  },
};
addEventListener("keydown", window.earlyKeys.keep);
