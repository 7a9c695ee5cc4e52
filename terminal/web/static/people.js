// Who is there: signing in, a supervisor's signature, locking.
import { lang, post, refuse } from "../faces/post.js";
import { once } from "../faces/press.js";
import { play } from "../faces/sound.js";
import { keyPin, pinOf } from "./pad.js";

export const choose = (button) => {
  for (const each of button.parentElement.children) each.setAttribute("aria-checked", String(each === button));
};

const chosen = (place) => place.querySelector('[data-staff][aria-checked="true"]');

const keyed = (place) => {
  const pad = place.querySelector("[data-pinpad]");
  const pin = pinOf(pad);
  keyPin(pad, "clear");
  return pin;
};

const said = (place) => {
  const who = chosen(place);
  const pin = keyed(place);
  return who && pin ? { staff_id: Number.parseInt(who.dataset.staff, 10), pin } : null;
};

const no = (error, place) => {
  play("declined");
  refuse(error, place);
};

// Whose PIN somebody else has set chooses one, twice, before anything else. Rule: it lies in this
// module's memory only, and not for longer than a till stays unlocked.
let given = null;
let first = "";
let ends = 0;
const ask = (place, asks) => {
  for (const each of place.querySelectorAll("[data-asks]")) each.hidden = each.dataset.asks !== asks;
};
const beginChoice = (place, who) => {
  given = who;
  first = "";
  ask(place, "choose");
  clearTimeout(ends);
  ends = setTimeout(() => location.reload(), Number(document.documentElement.dataset.idle));
};
const endChoice = (place) => {
  given = null;
  clearTimeout(ends);
  ask(place, "who");
};
const twice = (place) => {
  const pin = keyed(place);
  if (!pin) return null;
  if (first === pin) return { ...given, new_pin: pin };
  if (first) {
    beginChoice(place, given);
    no({ code: "pins_differ", [lang]: place.querySelector("[data-differs]").dataset.differs }, place);
  } else {
    first = pin;
    ask(place, "repeat");
  }
  return null;
};

const CHOOSE_AGAIN = new Set(["staff_pin_weak", "staff_pin_same"]);
export const signIn = (place) =>
  once(place, async () => {
    const who = given ? twice(place) : said(place);
    if (!who) return;
    const { ok, error } = await post("/api/session", who);
    if (ok) return location.reload();
    if (error.code === "staff_pin_given") return beginChoice(place, who);
    if (CHOOSE_AGAIN.has(error.code)) beginChoice(place, given);
    else if (given && error.code.startsWith("staff_")) endChoice(place);
    no(error, place);
  });

// Ask a supervisor: resolves with a signature that the server will check, or null.
let answer = null;
export const approve = (error = null) => {
  const dialog = document.getElementById("approve");
  const line = dialog.querySelector("[data-refusal]");
  line.hidden = true;
  if (error) refuse(error, dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    answer = resolve;
    dialog.addEventListener("close", () => resolve(null), { once: true });
  });
};

export const signed = () => {
  const dialog = document.getElementById("approve");
  const who = said(dialog);
  if (!who) return;
  answer?.(who);
  dialog.close();
};

// Do something that a supervisor must sign; asked again where the signature does not hold.
const ASK_AGAIN = new Set(["staff_pin_wrong", "staff_locked", "staff_supervisor", "staff_unknown", "staff_pin_given"]);
export const withSignature = async (send) => {
  let error = null;
  for (;;) {
    const approval = await approve(error);
    if (!approval) return { ok: false, error: null };
    const found = await send(approval);
    if (found.ok || !ASK_AGAIN.has(found.error.code)) return found;
    play("declined");
    error = found.error;
  }
};

export const lock = async () => {
  await post("/api/session/lock");
  location.assign("/");
};

// Nobody has touched the till for a while, and no sale is on its way.
export const watchIdle = (idleMs, mayLock) => {
  let at = performance.now();
  let told = at;
  for (const name of ["pointerdown", "keydown"])
    addEventListener(name, () => {
      at = performance.now();
      if (at - told > idleMs / 8) {
        told = at;
        post("/api/session/touch");
      }
    });
  setInterval(() => {
    if (performance.now() - at > idleMs && mayLock()) lock();
  }, 1000);
};
