// The page of an opening link. Its code stands behind the # of the address, which is sent to nobody:
// it is taken out of the address and the history, and goes in the body of the page's own form.
const form = document.querySelector("form[data-open]");
const code = location.hash.slice(1);
if (form && code) {
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.code.value = code;
  form.requestSubmit();
}
