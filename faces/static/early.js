// What is pressed before the page's modules have run is kept and done when they have: a module runs
// after the page is shown, before DOMContentLoaded. This is no module, so it is there first.
{
  const KEPT_MAX = 4;
  const pressed = [];
  const keep = (event) => {
    const target = event.target.closest?.("button, [role=button]");
    if (!target) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (pressed.length < KEPT_MAX) pressed.push(target);
  };
  addEventListener("click", keep, true);
  document.addEventListener("DOMContentLoaded", () => {
    removeEventListener("click", keep, true);
    for (const target of pressed) target.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  });
}
