// The till's page. Rule 1: what is true about money comes rendered from the local server; here are
// keys, sounds and what is being typed. Rule 2: a button works once until the screen has changed.
import { follow } from "../faces/bus.js";
import { keepTime, tick } from "../faces/clock.js";
import { isTyping, listen } from "../faces/keys.js";
import { minor, shown } from "../faces/money.js";
import { lang, post, refuse } from "../faces/post.js";
import { flash, once, release } from "../faces/press.js";
import { play } from "../faces/sound.js";
import { swap } from "../faces/swap.js";
import { keepAddress } from "../faces/turn.js";
import { digitsOf, forget, hasCart, keep, keyAmount, keyPin, refused, restore, save, setDigits } from "./pad.js";
import { go, PAPER, sayLacks, sayPrintAgain } from "./paper.js";
import { choose, lock, signed, signIn, watchIdle } from "./people.js";

const root = document.documentElement;
const main = document.getElementById("main");
const bar = document.getElementById("bar");
const isTill = root.dataset.face === "till";
const isSignedIn = Boolean(document.querySelector(".rail"));
const dialog = document.getElementById("approve");

const scope = () => (dialog?.open ? dialog : main);
const pinPad = () => scope().querySelector("[data-pinpad]");
const amountPad = () => (dialog?.open ? null : main.querySelector("[data-pad]"));
const kind = () => main.firstElementChild?.dataset.kind ?? "";

// What follows the sale as it goes on, and what is a page beside it, with acts of its own.
const view = root.dataset.view ?? "customer";
const isLive = !isTill || (!["cash", "cash_done", "cart"].includes(kind()) && !kind().startsWith("card_"));
const drawer = isTill && !(isLive && view === "sale") ? await import("./drawer.js") : null;

for (const pad of main.querySelectorAll('section:not(.cash) [data-pad][data-draft=""]')) pad.dataset.fresh = digitsOf(pad) ? "yes" : "no";

const send = (path, body, button) =>
  once(
    main,
    async () => {
      const { ok, error } = await post(`/api/${path}`, body);
      if (!ok) {
        if (error.code === "staff_sign_in") location.reload();
        refused(error, main);
      }
      return ok;
    },
    button,
  );

const sale = (method) => {
  const pad = amountPad();
  const body = { amount_minor: minor(digitsOf(pad)), currency: pad.dataset.currency, draft_id: pad.dataset.draft };
  body.description = document.getElementById("note")?.value ?? "";
  if (method) body.method = method;
  return body;
};

// A refusal that this page knows before anybody is asked.
const decline = (text, code = "amount_invalid") => {
  refused({ code, [lang]: text }, main);
  return false;
};

const charge = async (button, method) => {
  const body = sale(method);
  const { most, limits } = main.querySelector('[data-kind="keypad"]').dataset;
  if (body.amount_minor < 1 || body.amount_minor > minor(most)) return decline(limits);
  await save(amountPad());
  return send("sales", body, button);
};

const cash = async (button) => {
  if (await send("sales/current/cash", {}, button)) location.assign("/cash");
};
const leave = async (button) => {
  if (await send("counter/leave", {}, button)) location.assign("/");
};

// The cart: the server changes it and says what it comes to; the list is its picture of it.
const draftId = () => main.querySelector("[data-draft-id]")?.dataset.draftId ?? amountPad()?.dataset.draft;
let adding = Promise.resolve(true);
const addGoods = (code, step) => {
  adding = adding.then(async () => {
    const { ok, error } = await post("/api/draft/goods", { draft_id: draftId(), code, step });
    if (!ok) {
      play("declined");
      refuse(error, main);
      return false;
    }
    forget();
    main.querySelector("[data-refusal]").hidden = true;
    const list = document.getElementById("lines");
    swap(list.parentElement, await (await fetch("/cart/lines")).text());
    showCart();
    return true;
  });
  return adding;
};
const showCart = () => {
  const list = document.getElementById("lines");
  const chip = document.getElementById("cart-chip");
  const pad = amountPad();
  if (!list) return;
  if (chip) {
    chip.hidden = list.dataset.count === "0";
    document.getElementById("cart-count").textContent = list.dataset.count;
  }
  if (pad) setDigits(pad, list.dataset.total);
  else main.querySelector(".head .amount").lastChild.textContent = shown(list.dataset.total, 2);
};
const plain = (path) => (button) => send(path, {}, button);
const DOES = {
  ...PAPER,
  ...drawer?.DRAWER,
  charge: (button) => charge(button, button.dataset.method),
  method: (button) => send("sales/current/method", { method: button.dataset.method }, button),
  cash,
  card: (button) => go(button, () => post("/api/sales/current/card"), (told) => `/card/${told.card_id}`),
  leave,
  vend: (button) => send("vend", { item: button.dataset.item }, button),
  goods: (button) => addGoods(button.dataset.code, Number.parseInt(button.dataset.step, 10)),
  practice: (button) => send("sales/current/code", { code: "130000000000000000" }, button),
  cancel: plain("sales/current/cancel"),
  query: plain("sales/current/query"),
  reverse: plain("sales/current/reverse"),
  dismiss: plain("sales/current/dismiss"),
  park: plain("sales/current/dismiss"),
  again: plain("sales/current/again"),
  pin: () => (dialog?.open ? signed() : signIn(main)),
  disapprove: () => dialog.close(),
  lock,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = event.target.closest("tr[data-href]");
  if (row) location.assign(row.dataset.href);
  if (!button || button.disabled) return;
  const { key, pin, staff, reason, note, mark, person, role, fills } = button.dataset;
  const refusal = scope().querySelector("[data-refusal]");
  if (refusal && (key || pin || note || fills || mark)) refusal.hidden = true;
  if (key && hasCart() && amountPad()) {
    const last = main.querySelector('#lines [data-step="-1"]');
    if (key === "back") addGoods(last.dataset.code, -1);
    else sayCartSums();
  } else if (key) keyAmount(button.closest("[data-pad]"), key);
  else if (pin) keyPin(button.closest("[data-pinpad]"), pin);
  else if (person !== undefined) {
    choose(button);
    drawer.showPerson();
  } else if (staff || reason || mark || role) {
    choose(button);
    if (reason) document.getElementById("other-reason")?.scrollIntoView({ block: "nearest" });
  } else if (note) drawer.giveNote(button);
  else if (fills) document.getElementById(fills).value = button.textContent;
  else DOES[button.dataset.do]?.(button);
});
// What a finger has pressed holds no focus: Enter would press it once more.
addEventListener("mousedown", (event) => {
  if (!event.target.closest?.("[data-key], [data-pin], [data-note], [data-do]")) return;
  event.preventDefault();
  document.activeElement?.blur();
});
// Another language is another page: what is keyed on this one goes along, a PIN does not.
const TURNED = "till-turned";
keepAddress(() => {
  const fields = [...main.querySelectorAll("input:not([type=password])")].map((each) => [each.id, each.value]);
  sessionStorage.setItem(TURNED, JSON.stringify({ path: location.pathname, digits: digitsOf(amountPad()), fields }));
});
const turned = JSON.parse(sessionStorage.getItem(TURNED) ?? "null");
sessionStorage.removeItem(TURNED);
if (turned?.path === location.pathname) {
  for (const [id, value] of turned.fields) if (id && document.getElementById(id)) document.getElementById(id).value = value;
  const pad = amountPad();
  if (pad && !pad.dataset.draft && turned.digits !== digitsOf(pad)) {
    setDigits(pad, turned.digits);
    pad.dataset.fresh = "no";
  }
}

document.addEventListener("longpress", (event) => {
  if (event.target.dataset.key === "back" && !hasCart()) keyAmount(event.target.closest("[data-pad]"), "clear");
  if (event.target.dataset.pin === "back") keyPin(event.target.closest("[data-pinpad]"), "clear");
});
document.addEventListener("input", (event) => {
  if (event.target.id === "note" && amountPad()) keep(amountPad());
});

// Letters for fingers are fetched when the first field is touched. Until they are there, what is pressed
// counts: they come for the field that has the focus then, and not to somebody who types on keys.
const hasLetters = Boolean(document.getElementById("letters"));
let letters = null;
let isFinger = false;
addEventListener("pointerdown", ({ pointerType }) => (isFinger = pointerType !== "mouse"), true);
addEventListener("keydown", ({ isTrusted }) => isTrusted && (isFinger = false), true);
addEventListener("click", async ({ target }) => {
  if (!hasLetters || !isFinger || !isTyping(target)) return letters?.leaveFor(target);
  letters ??= await import("./letters.js").catch(() => null); // the next touch asks again
  const held = document.activeElement;
  if (isFinger && isTyping(held)) letters?.openLetters(held);
});

// Keys. A scanner that types is told from fingers by what it types (faces/keys.js).
const press = (selector, place = scope()) => {
  const button = place.querySelector(selector);
  if (!button || button.disabled) return false;
  flash(button);
  play("tick");
  button.click();
  return true;
};

// A shift is opened by a key of its own, so that an amount that is keyed by habit and charged does not
// become the drawer's float.
const OPENS_SHIFT = '[data-do="open_shift"]';
const SHORT = {
  F2: `.primary[data-do]:not([data-do="pin"], ${OPENS_SHIFT})`,
  F6: OPENS_SHIFT,
  F3: '[data-method="pay_code"]',
  Escape: '[data-do="cancel"], [data-do="disapprove"], [data-do="dismiss"], [data-do="leave"], [data-back]',
};

// The goods of a cart make the amount. A scanner that types begins with a digit, too: a cashier's own
// is refused when it has stayed alone.
const ALONE_MS = 600;
let alone = 0;
const sayCartSums = () => decline(main.querySelector("[data-cart-sums]").dataset.cartSums, "cart_sums");
const refuseDigit = () => {
  clearTimeout(alone);
  alone = setTimeout(sayCartSums, ALONE_MS);
  return true;
};

const key = (name, event) => {
  if (name === "Enter" && pinPad() && !event.target.closest("[data-do], a")) return press('[data-do="pin"]');
  if (name === "Enter") return event.target.closest("button, a, summary") ? false : press(`.primary:not(${OPENS_SHIFT})`);
  if (name in SHORT && press(SHORT[name])) return true;
  if (dialog?.open && /^F\d/.test(name)) return true; // a page that asks for a PIN stays: digits typed elsewhere are an amount
  if (/^F[4689]$/.test(name)) return press(`[data-place="${name}"]`, document);
  if (name === "Escape") return press('[data-place="F2"]:not([aria-current])', document);
  if (name === "F2" && kind() !== "keypad") return press('[data-place="F2"]', document);
  const digit = /^\d$/.test(name) ? name : name === "Backspace" ? "back" : "";
  if (digit && pinPad()) return press(`[data-pin="${digit}"]`);
  if (/^\d$/.test(digit) && amountPad() && hasCart()) return refuseDigit();
  if (digit && amountPad()) return press(`[data-key="${digit}"]`);
  if (digit) return press(`[data-way="${digit}"]`);
  if (name === "Delete" && amountPad() && !hasCart()) keyAmount(amountPad(), "clear");
  return name === "Delete";
};

// What stood there before a scanner typed: its digits are no amount, and no note.
let before = "";
let field = null;
const start = () => {
  before = digitsOf(amountPad());
  const held = document.activeElement;
  field = held?.matches("input:not(#q)") ? { held, value: held.value } : null;
};
const scan = async (text) => {
  clearTimeout(alone);
  if (field) field.held.value = field.value;
  if (amountPad()) setDigits(amountPad(), before);
  if (/^\d{12,14}$/.test(text) && ["keypad", "cart"].includes(kind())) addGoods(text, 1);
  else if (/^(pay|rfd)_\w{26}$/.test(text)) location.assign(`/payments/${text}`);
  else if (kind() === "keypad" && minor(digitsOf(amountPad()))) {
    await save(amountPad());
    await send("sales", sale("pay_code"));
    await send("sales/current/code", { code: text });
  } else if (["choosing", "scanning", "offline_scan"].includes(kind())) await send("sales/current/code", { code: text });
};

// What stands on the buttons of the keys that this device has is shown with the next screen, so that
// nothing moves under a hand (till.css); the browser keeps what was found.
const KEYS = ["none", "pad", "full"];
let found = root.dataset.keys;
const keys = (which) => {
  if (KEYS.indexOf(which) <= KEYS.indexOf(found)) return;
  found = which;
  document.cookie = `keys=${found};path=/;max-age=31536000;samesite=lax`;
};

if (isTill) {
  listen({ start, scan, key, keys });
}

const SOUNDS = { paid: "paid", error: "declined", warn: "unknown" };
let mood = document.body.dataset.mood;

const show = (told) => {
  if (bar && told.bar) swap(bar, told.bar);
  if (told.html && isLive) {
    const isNew = mood !== told.mood;
    mood = told.mood;
    document.body.dataset.mood = mood;
    if (told.kind !== "keypad" || kind() !== "keypad") {
      letters?.closeLetters();
      swap(main, told.html);
      if (isTill) root.dataset.keys = found;
      sayPrintAgain();
      release(main);
    }
    if (isNew && isTill && SOUNDS[mood]) play(SOUNDS[mood], ...(told.say ?? []));
  }
  sayLacks(told.lacks);
  tick();
};

if (isSignedIn || !isTill || !pinPad()) follow(`/fragments?view=${view}&lang=${lang}`, { screen: show });
if (isSignedIn) watchIdle(Number.parseInt(root.dataset.idle, 10), () => !["sending", "waiting", "qr", "unknown", "scanning", "offline_scan", "verifying", "card_asking"].includes(kind()));
if (kind() === "card_asking" && isSignedIn)
  drawer.awaitCard((told) => {
    document.body.dataset.mood = told.mood;
    swap(main, told.html);
    play(SOUNDS[told.mood], ...main.firstElementChild.dataset.say.split(" ").filter(Boolean));
  });
if (!hasCart()) restore(amountPad());
keepTime();

// What was pressed while this was still on its way (early.js). A link has gone its way already.
for (const event of globalThis.takeEarly?.() ?? [])
  if (event.type === "keydown" || event.target.closest("button"))
    event.target.dispatchEvent(new event.constructor(event.type, event));
