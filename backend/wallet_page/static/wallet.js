// The wallet's page. Rule 1: everything works by links and forms alone; here is what makes it
// quick: keys for the PIN, a code that renews itself, and news without loading again.
// Rule 2: the server's clock may not be the phone's: times of the page are moved by the difference.
import { keepTime, tick } from "../faces/clock.js";
import { listen } from "../faces/keys.js";
import { flash } from "../faces/press.js";
import "../faces/own_words.js";
import { swap } from "../faces/swap.js";

const PIN_DIGITS = 6;
const root = document.documentElement;
const main = document.getElementById("main");
const ahead = Date.now() - Number(document.body.dataset.now);

// Forms: sent once, whatever a finger does.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
  return undefined;
});
addEventListener("pageshow", (event) => event.persisted && location.reload());

// The PIN.
const pinPad = main.querySelector("[data-pinpad]");
const pinField = document.getElementById("pin");
const keyPin = (key) => {
  pinField.value = key === "back" ? pinField.value.slice(0, -1) : (pinField.value + key).slice(0, PIN_DIGITS);
  whole();
};
const whole = () => {
  if (pinField.value.length === PIN_DIGITS && pinField.form.hasAttribute("data-pinned")) pinField.form.requestSubmit();
};
if (pinPad && pinField) {
  pinPad.hidden = false;
  pinField.inputMode = "none"; // our keys are the keyboard
  if (pinField.form.hasAttribute("data-pinned")) pinField.form.querySelector(".primary").hidden = true; // the sixth digit sends
  pinField.addEventListener("input", whole);
  pinPad.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pin]");
    if (button) keyPin(button.dataset.pin);
  });
}

// Keys without a focused field, and scanners that type.
const scanForm = main.querySelector("[data-scan]");
listen({
  scan: (text) => {
    if (!scanForm) return;
    scanForm.elements.content.value = text;
    scanForm.requestSubmit();
  },
  key: (name) => {
    const digit = /^\d$/.test(name) ? name : name === "Backspace" ? "back" : "";
    const button = digit && pinPad?.querySelector(`[data-pin="${digit}"]`);
    if (button) {
      flash(button);
      button.click();
      return true;
    }
    if (name === "Escape") document.querySelector("[data-back]")?.click();
    return name === "Escape";
  },
});

// The pay code: another one when its minute is over, and what happens to the one that is shown.
const moved = () => {
  for (const each of main.querySelectorAll("[data-until]")) {
    each.dataset.from = Number(each.dataset.from) + ahead;
    each.dataset.until = Number(each.dataset.until) + ahead;
  }
  tick();
  count();
};
const count = () => {
  const words = main.querySelector("[data-words-left]");
  const until = Number(main.querySelector(".left [data-until]")?.dataset.until ?? 0);
  if (words && until) words.textContent = `${words.dataset.wordsLeft} ${Math.max(0, Math.ceil((until - Date.now()) / 1000))} s`;
  return until;
};
const fetched = async (path) => {
  const answer = await fetch(path);
  if (answer.redirected) location.reload(); // nobody is signed in any more
  return answer;
};
let isFetching = false;
const renew = async () => {
  if (isFetching) return;
  isFetching = true;
  try {
    const text = await (await fetched("/wallet/code?new=1")).text();
    swap(main, new DOMParser().parseFromString(text, "text/html").getElementById("main").innerHTML);
    moved();
  } finally {
    isFetching = false;
  }
};
const countOf = (html) => html.split("data-asked").length - 1;
const look = async () => {
  if (document.visibilityState !== "visible" || isFetching) return;
  try {
    const told = await (await fetched("/wallet/now")).json();
    delete root.dataset.line;
    const asked = document.getElementById("asked");
    const isNews = countOf(told.asked) > asked.children.length; // then the shown code is used up
    if (asked.innerHTML.trim() !== told.asked.trim()) swap(asked, told.asked);
    const shown = main.querySelector("[data-latest]").dataset.latest;
    if (told.latest && told.latest !== shown) location.assign(`/wallet/paid/${told.latest}`);
    else if (isNews || count() < Date.now()) await renew();
  } catch {
    root.dataset.line = "lost";
  }
};
if (document.body.dataset.tab === "code") {
  moved();
  setInterval(count, 1000);
  setInterval(look, Number(main.querySelector("[data-look]").dataset.look));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-fresh]")) return;
    event.preventDefault();
    renew();
  });
}

// A payment that a bank has yet to answer: the page is loaded again once it shows an end.
const WAITS = "[data-waits]";
const lookForEnd = async () => {
  if (document.visibilityState !== "visible") return;
  try {
    const text = await (await fetched(location.pathname)).text();
    delete root.dataset.line;
    if (!new DOMParser().parseFromString(text, "text/html").querySelector(WAITS)) location.reload();
  } catch {
    root.dataset.line = "lost";
  }
};
const waits = main.querySelector(WAITS);
if (waits) setInterval(lookForEnd, Number(waits.dataset.waits));
keepTime();
