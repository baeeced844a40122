// A link may carry the token behind its #, where no server and no log sees it: put it into the form, and out of sight.

const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = document.querySelector("form");

if (token && form.elements.token) {
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.token.value = token;
  form.submit();
}
