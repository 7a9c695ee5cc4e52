// Who is there: signing in, a supervisor's signature, locking.
import { post, refuse } from "../faces/post.js";
import { once } from "../faces/press.js";
import { play } from "../faces/sound.js";
import { keyPin, pinOf } from "./pad.js";

export const choose = (button) => {
  for (const each of button.parentElement.children) each.setAttribute("aria-checked", String(each === button));
};

const chosen = (place) => place.querySelector('[data-staff][aria-checked="true"]');

const said = (place) => {
  const who = chosen(place);
  const pad = place.querySelector("[data-pinpad]");
  const pin = pinOf(pad);
  keyPin(pad, "clear");
  return who && pin ? { staff_id: Number.parseInt(who.dataset.staff, 10), pin } : null;
};

export const signIn = (place) =>
  once(place, async () => {
    const who = said(place);
    if (!who) return;
    const { ok, error } = await post("/api/session", who);
    if (ok) location.reload();
    else {
      play("declined");
      refuse(error, place);
    }
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
const ASK_AGAIN = new Set(["staff_pin_wrong", "staff_locked", "staff_supervisor", "staff_unknown"]);
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
