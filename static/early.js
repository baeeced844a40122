// Before the first paint, and so not a module: the reader's own choice of light or dark, without a flash of the other.
try {
  const theme = JSON.parse(localStorage.getItem("roombridge.theme"));
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is forbidden or holds nothing: follow the system
}
