// What a finger feels: a pressed look and a tick at once, whatever the network does afterwards;
// and a button that works once, until its work is over.
import { play } from "./sound.js";

const SHOWN_MS = 120;
const LONG_MS = 700;
const PRESSABLE = "button, .button, .key";

addEventListener("pointerdown", (event) => {
  const pressed = event.target.closest?.(PRESSABLE);
  if (!pressed || pressed.disabled) return;
  flash(pressed);
  play("tick");
  const long = setTimeout(() => pressed.dispatchEvent(new CustomEvent("longpress", { bubbles: true })), LONG_MS);
  for (const end of ["pointerup", "pointercancel", "pointerleave"])
    pressed.addEventListener(end, () => clearTimeout(long), { once: true });
});

// For keys of a keyboard, which no pointer presses.
export const flash = (element) => {
  element.classList.add("pressed");
  setTimeout(() => element.classList.remove("pressed"), SHOWN_MS);
};

// Do the work of a button once: all buttons of its place are disabled until it is over. A busy
// place takes nothing else, so a double tap is one tap. A disabled button loses the focus: who works
// by keyboard gets it back, at the button, at what has come in its place, or in its room.
const busy = new Map();
export const once = async (place, work, button = null) => {
  if (busy.has(place)) return undefined;
  const turn = Symbol("turn");
  busy.set(place, turn);
  const held = place.querySelector(":focus-visible");
  const room = place.closest("[tabindex]");
  const buttons = [...place.querySelectorAll("button:not(:disabled)")];
  for (const each of buttons) each.disabled = true;
  button?.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    if (busy.get(place) === turn) busy.delete(place);
    for (const each of buttons) each.disabled = false;
    button?.removeAttribute("aria-busy");
    if (held && document.activeElement === document.body) again(held, room);
  }
};

const again = (held, room) => {
  const there = held.isConnected ? held : held.id && document.getElementById(held.id);
  (there || room)?.focus({ preventScroll: true });
};

// The screen has changed: its new buttons wait for nobody.
export const release = (place) => busy.delete(place);
