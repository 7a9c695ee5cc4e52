// The till's page. Rule 1: what is true about money comes rendered from the local server; here are
// keys, sounds and what is being typed. Rule 2: a button works once until the screen has changed.
import { follow } from "../faces/bus.js";
import { keepTime, tick } from "../faces/clock.js";
import { listen } from "../faces/keys.js";
import { keyed, minor, shown } from "../faces/money.js";
import { lang, post, refuse } from "../faces/post.js";
import { flash, once } from "../faces/press.js";
import { play } from "../faces/sound.js";
import { swap } from "../faces/swap.js";

const main = document.getElementById("main");
const face = document.documentElement.dataset.face;
const TYPED = "till-typed"; // what was keyed, kept over a reload; it is no record of a sale
let digits = sessionStorage.getItem(TYPED) ?? "";
let before = "";

const pad = () => main.querySelector('.sale[data-kind="keypad"]');

const draw = () => {
  const place = pad();
  if (!place) return;
  main.querySelector("#amount").textContent = shown(digits, Number.parseInt(place.dataset.places, 10));
  sessionStorage.setItem(TYPED, digits);
};

const key = (name) => {
  digits = keyed(digits, name);
  draw();
};

const send = (path, body, button) =>
  once(
    main,
    async () => {
      const { ok, error } = await post(`/api/${path}`, body);
      if (!ok) {
        play("declined");
        refuse(error, main);
      }
      return ok;
    },
    button,
  );

const charge = async (button, method) => {
  const body = { amount_minor: minor(digits), currency: pad().dataset.currency };
  if (method) body.method = method;
  if (await send("sales", body, button)) digits = "";
};

const DOES = {
  charge: (button) => charge(button, button.dataset.method),
  method: (button) => send("sales/current/method", { method: button.dataset.method }, button),
  vend: (button) => send("vend", { item: button.dataset.item }, button),
  cancel: (button) => send("sales/current/cancel", {}, button),
  query: (button) => send("sales/current/query", {}, button),
  reverse: (button) => send("sales/current/reverse", {}, button),
  dismiss: (button) => send("sales/current/dismiss", {}, button),
  park: (button) => send("sales/current/dismiss", {}, button),
  reprint: (button) => send("receipts/reprint", { payment_id: button.dataset.subject }, button),
};

main.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  if (button.dataset.key) key(button.dataset.key);
  else DOES[button.dataset.do]?.(button);
});
main.addEventListener("longpress", (event) => {
  if (event.target.dataset.key === "back") key("clear");
});

const press = (selector) => {
  const button = main.querySelector(selector);
  if (!button || button.disabled) return false;
  flash(button);
  play("tick");
  button.click();
  return true;
};

const SHORT = {
  F2: '[data-do="charge"]:not([data-method])',
  F3: '[data-method="pay_code"]',
  Escape: '[data-do="cancel"], [data-do="dismiss"]',
  Enter: ".primary",
};

if (face === "till") {
  listen({
    start: () => (before = digits),
    scan: () => {
      digits = before; // a wedge's digits are no amount
      draw();
    },
    key: (name, event) => {
      if (name in SHORT && !(name === "Enter" && event.target.closest("button, a"))) return press(SHORT[name]);
      if (/^\d$/.test(name)) return press(pad() ? `[data-key="${name}"]` : `.way:nth-child(${name})`);
      if (name === "Backspace") return press('[data-key="back"]');
      if (name === "Delete" && pad()) return key("clear") ?? true;
      return false;
    },
  });
}

const SOUNDS = { paid: "paid", error: "declined", warn: "unknown" };
let mood = document.body.dataset.mood;
const bar = document.getElementById("bar");

follow(`/fragments?view=${face}&lang=${lang}`, {
  screen: (told) => {
    const isNew = mood !== told.mood;
    mood = told.mood;
    document.body.dataset.mood = mood;
    swap(main, told.html);
    if (bar) swap(bar, told.bar);
    draw();
    tick();
    if (isNew && face === "till" && SOUNDS[mood]) play(SOUNDS[mood]);
  },
});
keepTime();
draw();
