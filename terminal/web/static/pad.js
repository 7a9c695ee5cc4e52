// Pads: an amount that fills from the right, and a PIN that is never shown.
import { keyed, shown } from "../faces/money.js";
import { post, refuse } from "../faces/post.js";
import { play } from "../faces/sound.js";

const PIN_MAX = 8;
const LONG_DIGITS = 7; // beyond them the amount needs the whole width

export const digitsOf = (pad) => pad?.dataset.digits ?? "";
export const placesOf = (pad) => Number.parseInt(pad.dataset.places, 10);

export const setDigits = (pad, digits) => {
  pad.dataset.digits = digits;
  pad.dataset.long = digits.length > LONG_DIGITS ? "yes" : "no";
  pad.querySelector("[data-shown]").textContent = shown(digits, placesOf(pad));
  pad.dispatchEvent(new CustomEvent("keyed", { bubbles: true, detail: digits }));
  keep(pad);
};

export const keyAmount = (pad, key) => {
  const fresh = pad.dataset.fresh === "yes"; // a proposed amount is replaced by the first digit
  pad.dataset.fresh = "no";
  setDigits(pad, keyed(fresh && /\d/.test(key) ? "" : digitsOf(pad), key));
};

// Say no. What was keyed is replaced by the next digit, not lengthened by it.
export const refused = (error, place) => {
  play("declined");
  refuse(error, place);
  const pad = place.querySelector("[data-pad]");
  if (digitsOf(pad)) pad.dataset.fresh = "yes";
};

// The keypad of a sale is kept by the server key by key, so a power cut loses none; a reload, which
// may be faster than the last key's way to the server, finds that one in the tab. One message is on
// its way at a time, and the last state always follows.
const TYPED = "till-typed";
let saving = null;
let isDirty = false;

const typed = (pad) => ({ draft_id: pad.dataset.draft, digits: digitsOf(pad), note: document.getElementById("note")?.value ?? "" });

// Goods in the cart: their sum is the amount, and the server keeps it.
export const hasCart = () => Boolean(document.querySelector('#lines:not([data-count="0"])'));
export const forget = () => sessionStorage.removeItem(TYPED);

export const keep = (pad) => {
  if (!pad.dataset.draft || hasCart()) return;
  sessionStorage.setItem(TYPED, JSON.stringify(typed(pad)));
  isDirty = true;
  saving ??= save(pad).finally(() => (saving = null));
};

export const save = async (pad) => {
  isDirty = true;
  await saving;
  while (isDirty) {
    isDirty = false;
    await post("/api/draft", typed(pad), { keepalive: true });
  }
};

export const restore = (pad) => {
  const kept = JSON.parse(sessionStorage.getItem(TYPED) ?? "null");
  if (!pad?.dataset.draft || kept?.draft_id !== pad.dataset.draft || kept.digits === digitsOf(pad)) return;
  setDigits(pad, kept.digits);
};

// PINs live in a map of this module, not in the page.
const pins = new WeakMap();
export const pinOf = (pad) => pins.get(pad) ?? "";
export const keyPin = (pad, key) => {
  const pin = pinOf(pad);
  pins.set(pad, key === "back" ? pin.slice(0, -1) : key === "clear" ? "" : (pin + key).slice(0, PIN_MAX));
  pad.querySelector("[data-dots]").textContent = "●".repeat(pinOf(pad).length);
};
