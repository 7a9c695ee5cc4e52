// The pages beside the sale: refunds, cash, shifts, tests. The sale's own page does without.
import { minor, shown } from "../faces/money.js";
import { lang, post } from "../faces/post.js";
import { once } from "../faces/press.js";
import { digitsOf, placesOf, refused, setDigits } from "./pad.js";
import { go } from "./paper.js";
import { withSignature } from "./people.js";

const main = document.getElementById("main");
const pad = () => main.querySelector("[data-pad]");
const amount = () => minor(digitsOf(pad()));
const chosenReason = () => {
  const chip = main.querySelector('[data-reason][aria-checked="true"]');
  const own = chip?.dataset.other === undefined ? "" : main.querySelector("#other-reason").value.trim();
  return own || (chip?.dataset.reason ?? "");
};
const reason = () => main.querySelector("#reason")?.value ?? chosenReason();

// This page's refund: pressed again after an answer that was lost, it is given once.
const refundId = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const refund = (button) => {
  const { subject, way } = main.querySelector("[data-subject]").dataset;
  const { most, limits } = main.querySelector(".refund").dataset;
  if (amount() < 1 || amount() > minor(most)) return refused({ code: "refund_exceeds", [lang]: limits }, main);
  const body = { amount_minor: amount(), reason: reason() };
  if (way === "payment") body.payment_id = subject;
  else body.refund_id = refundId;
  const path = { cash: `/api/cash/${subject}/refund`, card: `/api/cards/${subject}/refund`, payment: "/api/refunds" }[way];
  const next = { cash: () => location.pathname, card: (told) => `/card/${told.card_id}`, payment: () => "/" }[way];
  return go(button, () => withSignature((approval) => post(path, { ...body, approval })), next);
};

// A supervisor says what an unknown outcome is taken for.
const mark = (button) => {
  const { marked: subject, of, wanted } = main.querySelector("[data-marked]").dataset;
  const body = { marked_as: main.querySelector('[data-mark][aria-checked="true"]')?.dataset.mark, reason: main.querySelector("#mark-reason").value };
  if (of === "payment") body.payment_id = subject;
  if (of === "refund") body.refund_id = subject;
  const path = { card: `/api/cards/${subject}/mark`, payment: "/api/payments/mark", refund: "/api/refunds/mark" }[of];
  if (!body.marked_as || !body.reason.trim()) {
    refused({ code: "mark_wanted", [lang]: wanted }, main);
    return main.querySelector(body.marked_as ? "#mark-reason" : "[data-mark]").focus();
  }
  return go(button, () => withSignature((approval) => post(path, { ...body, approval })), location.pathname);
};

// Who works here.
const person = () => main.querySelector('[data-person][aria-checked="true"]').dataset.person;
export const showPerson = () => {
  for (const each of main.querySelectorAll("[data-for]")) each.hidden = (each.dataset.for === "hire") !== (person() === "");
};
const staff = (path, body) => (button) => go(button, () => withSignature((approval) => post(path(), { ...body(), approval })), "/staff");
const newPin = () => main.querySelector("#staff-pin").value;

const cardAgain = (button) => go(button, () => post(`/api/cards/${main.querySelector("[data-card]").dataset.card}/again`), "/");

// The PIN pad is asked: wait for its word, then put it in place.
const GAP_MS = 1000;
export const awaitCard = async (shown) => {
  const path = `/api/cards/${main.querySelector("[data-card]").dataset.card}/outcome`;
  for (;;) {
    const answer = await fetch(path).catch(() => null);
    if (answer?.ok && (await answer.json()).state !== "asking") break;
    if (answer?.status === 401) return location.reload();
    if (!answer?.ok) await new Promise((resolve) => setTimeout(resolve, GAP_MS));
  }
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  shown({ mood: page.body.dataset.mood, html: page.getElementById("main").innerHTML });
};

const takeCash = (button) => {
  const { draftId, amount: wanted } = main.querySelector('[data-kind="cash"]').dataset;
  const body = { draft_id: draftId, amount_minor: minor(wanted) };
  if (digitsOf(pad())) body.tendered_minor = amount();
  return go(button, () => post("/api/cash", body), (told) => `/cash/${told.movement_id}`);
};

const moveCash = (button) => {
  const body = { kind: button.dataset.kind, amount_minor: amount(), reason: reason() };
  const send = (approval) => post("/api/shift/move", { ...body, approval });
  return go(button, () => (body.kind === "pay_out" ? withSignature(send) : send(null)), "/shift");
};

const closeShift = (button) => {
  const body = { counted_minor: amount(), reason: reason() };
  const send = (approval) => post("/api/shift/close", { ...body, approval });
  return go(button, () => (button.dataset.unknown === "0" ? send(null) : withSignature(send)), "/shift/z");
};

// How a part is, in the words that its line brings along.
const FINE = {
  printer: ({ paper }, words) => `✓ ${words[paper]}`,
  scanner: ({ characters, ends }, words) => `✓ ${words.read.replace("{}", characters).replace("{}", ends)}`,
  pinpad: (told, words) => `✓ ${words.fine}`,
  link: ({ is_hub_online }, words) => (is_hub_online ? `✓ ${words.fine}` : `✕ ${words.cut}`),
};
const test = (button) =>
  once(main, async () => {
    const { what } = button.dataset;
    const line = main.querySelector(`[data-result="${what}"]`);
    const words = line.dataset;
    line.textContent = words.wait ?? "…";
    const { ok, told, error } = await post(`/api/tests/${what}`);
    line.textContent = ok ? FINE[what](told, words) : `✕ ${error[lang]}`;
  }, button);

export const DRAWER = {
  refund,
  mark,
  hire: staff(() => "/api/staff", () => ({ name: main.querySelector("#staff-name").value, role: main.querySelector('[data-role][aria-checked="true"]').dataset.role, pin: newPin() })),
  renew_pin: staff(() => `/api/staff/${person()}/pin`, () => ({ pin: newPin() })),
  let_go: staff(() => `/api/staff/${person()}/leave`, () => ({})),
  card_again: cardAgain,
  take_cash: takeCash,
  move_cash: moveCash,
  close_shift: closeShift,
  test,
  open_shift: (button) => go(button, () => post("/api/shift/open", { float_minor: amount() }), "/"),
  query_one: (button) => go(button, () => post("/api/payments/query", { payment_id: button.dataset.subject }), location.pathname),
  reverse_one: (button) => go(button, () => post("/api/payments/reverse", { payment_id: button.dataset.subject }), location.pathname),
  sign_out: (button) => go(button, () => post("/api/session/end"), "/"),
  train: (button) => go(button, () => post("/api/training", { is_training: button.dataset.to === "yes" }), "/"),
  sound: (button) => {
    document.cookie = `sound=${button.dataset.to};path=/;max-age=31536000;samesite=lax`;
    location.reload();
  },
};

// Change, as it is keyed; the notes beside the pad are a tap.
main.addEventListener("keyed", (event) => {
  const place = event.target.closest('[data-kind="cash"]');
  if (!place) return;
  const given = event.detail || place.dataset.amount;
  const left = BigInt(given || "0") - BigInt(place.dataset.amount);
  const line = place.querySelector("[data-change]");
  const isShort = left < 0n;
  line.textContent = shown(isShort ? -left : left, placesOf(event.target));
  line.parentElement.dataset.short = isShort ? "yes" : "no";
  notes = event.detail;
  giving ??= keepGiven(place.dataset.draftId);
});

// The notes are kept by the server as they are keyed, one message at a time; the last state follows.
let notes = null;
let giving = null;
const keepGiven = async (draft_id) => {
  while (notes !== null) {
    const digits = notes;
    notes = null;
    await post("/api/draft/given", { draft_id, digits }, { keepalive: true });
  }
  giving = null;
};
const counted = main.querySelector('[data-kind="cash"] [data-pad]');
if (digitsOf(counted)) setDigits(counted, digitsOf(counted)); // after a power cut or a reload
export const giveNote = (button) => {
  setDigits(pad(), button.dataset.note);
  pad().dataset.fresh = "yes"; // a digit after it is another amount, not a longer one
};
