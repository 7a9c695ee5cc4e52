// What a page shows stands in its address, so that loading it again shows the same; what is empty
// stands nowhere.
export const remember = (shown) => {
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(shown)) {
    if (value) asked.set(name, value);
    else asked.delete(name);
  }
  history.replaceState(null, "", `?${asked}`);
};

// Another language is the same page in other words: what its address asks for stays. `before` is
// done first.
export const keepAddress = (before = () => {}) =>
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[hreflang]");
    if (!link) return;
    event.preventDefault();
    before();
    const asked = new URLSearchParams(location.search);
    asked.set("lang", link.hreflang);
    location.assign(`?${asked}`);
  });
