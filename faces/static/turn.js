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
