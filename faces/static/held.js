// What comes while somebody presses waits until the press is over: one that begins on a button and
// ends on another, which has come in its place, is nobody's click.
const PRESSED = "button, a, label, summary";
const CLICK_AFTER_MS = 60; // a finger's click comes somewhat after the finger has gone
const HELD_MAX_MS = 10_000;

const waiting = [];
let isHeld = false;
let ends = 0;

const free = () => {
  isHeld = false;
  for (const work of waiting.splice(0)) work();
};
const freeIn = (ms) => {
  clearTimeout(ends);
  ends = setTimeout(free, ms);
};

const hold = (event) => {
  if (!event.target.closest?.(PRESSED)) return;
  isHeld = true;
  freeIn(HELD_MAX_MS);
};
const isSpace = (event) => event.key === " ";

addEventListener("pointerdown", hold, true);
addEventListener("keydown", (event) => isSpace(event) && hold(event), true);
addEventListener("keyup", (event) => isSpace(event) && isHeld && freeIn(0), true);
for (const end of ["pointerup", "pointercancel"])
  addEventListener(end, () => isHeld && freeIn(CLICK_AFTER_MS), true);
for (const end of ["click", "dragstart"]) addEventListener(end, () => isHeld && freeIn(0), true);

// Do this now, or when the press that is under way is over; in the order in which it came.
export const afterPress = (work) => {
  if (isHeld) waiting.push(work);
  else work();
};
