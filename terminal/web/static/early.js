// What a finger presses before the page's modules have run: kept, and pressed by them (till.js) when
// they have. A script of its own, because a module never runs before the page is painted.
const early = [];
const keepEarly = (event) => early.push(event);
for (const name of ["click", "keydown"]) addEventListener(name, keepEarly, true);

globalThis.takeEarly = () => {
  for (const name of ["click", "keydown"]) removeEventListener(name, keepEarly, true);
  return early.splice(0);
};
