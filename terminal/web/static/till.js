// The page's script. Rule 1: amounts are strings of digits and integers, never floats.
// Rule 2: what is true about money comes rendered from the local server; here are keys and sounds.
// Rule 3: a scanner is the terminal's device; a keyboard wedge is recognised by its pattern.
const view = document.body.dataset.view;
const lang = document.body.dataset.lang;
const screen = document.getElementById("screen");
const token = document.querySelector('meta[name="till-token"]').content;
const DIGITS_MAX = 9;
const TYPED = "till-typed"; // what was keyed, kept over a reload; it is no record of a sale
let digits = sessionStorage.getItem(TYPED) ?? "";
let isBusy = false;

const shownAmount = (text, places) => {
  const padded = text.padStart(places + 1, "0");
  const whole = padded.slice(0, padded.length - places).replace(/^0+(?=\d)/, "");
  return places ? `${whole}.${padded.slice(padded.length - places)}` : whole;
};

const draw = () => {
  const output = document.getElementById("amount");
  if (!output) return;
  const places = Number.parseInt(screen.querySelector(".keypad").dataset.digits, 10);
  output.textContent = shownAmount(digits, places);
  sessionStorage.setItem(TYPED, digits);
};

const key = (name) => {
  if (name === "back") digits = digits.slice(0, -1);
  else if (name === "clear") digits = "";
  else if ((digits + name).length <= DIGITS_MAX) digits = (digits + name).replace(/^0+/, "");
  tone([880], 0.03);
  draw();
};

const post = async (path, body) => {
  if (isBusy) return null;
  isBusy = true;
  for (const button of screen.querySelectorAll("button")) button.disabled = true;
  try {
    const answer = await fetch(`/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-till-token": token },
      body: JSON.stringify(body ?? {}),
    });
    const told = await answer.json();
    if (!answer.ok) say(told.error ?? {});
    return answer.ok;
  } catch {
    say({ code: "page_offline", zh: "终端程序没有应答。", en: "The terminal's program does not answer." });
    return false;
  } finally {
    isBusy = false;
    for (const button of screen.querySelectorAll("button")) button.disabled = false;
  }
};

const say = (error) => {
  screen.querySelector(".page-error")?.remove();
  const line = document.createElement("p");
  line.className = "banner warn page-error";
  line.setAttribute("role", "alert");
  line.textContent = `${error[lang] ?? ""} ${error.code ?? ""}`;
  screen.prepend(line);
};

const charge = async (method) => {
  const amount = Number.parseInt(digits || "0", 10);
  const currency = screen.querySelector(".keypad").dataset.currency;
  if (await post("sales", { amount_minor: amount, currency, method })) {
    digits = "";
    sessionStorage.removeItem(TYPED);
  }
};

const refund = (button) => {
  const question = lang === "zh" ? "退款金额（留空退全部）" : "Amount to refund (empty: all)";
  const typed = globalThis.prompt(`${question} ≤ ${button.dataset.left}`, "");
  if (typed === null) return;
  const places = Number.parseInt(screen.querySelector(".keypad").dataset.digits, 10);
  const match = /^(\d{1,9})(?:\.(\d+))?$/.exec(typed.trim());
  if (typed.trim() && (!match || (match[2] ?? "").length > places)) {
    say({ code: "amount_invalid", zh: "金额有误。", en: "The amount is wrong." });
    return;
  }
  const body = { payment_id: button.dataset.refund, reason: "" };
  if (match) body.amount_minor = Number.parseInt(match[1] + (match[2] ?? "").padEnd(places, "0"), 10);
  post("refunds", body);
};

const ACTIONS = {
  cancel: "sales/current/cancel",
  query: "sales/current/query",
  reverse: "sales/current/reverse",
  dismiss: "sales/current/dismiss",
  park: "sales/current/dismiss",
};

const act = (name, subject) => {
  if (name === "pay_code" || name === "merchant_qr") post("sales/current/method", { method: name });
  else if (name === "reprint") post("receipts/reprint", { payment_id: subject });
  else if (ACTIONS[name]) post(ACTIONS[name]);
};

screen.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const data = button.dataset;
  if (data.key) key(data.key);
  else if (data.charge) charge(data.charge);
  else if (data.item) post("vend", { item: data.item });
  else if (data.refund) refund(button);
  else if (data.reprint) post("receipts/reprint", { payment_id: data.reprint });
  else if (data.query) post("payments/query", { payment_id: data.query });
  else if (data.action) act(data.action, data.subject);
});

const press = (selector) => screen.querySelector(selector)?.click();

document.addEventListener("keydown", (event) => {
  if (view !== "till" || event.ctrlKey || event.altKey || event.metaKey) return;
  if (/^\d$/.test(event.key)) key(event.key);
  else if (event.key === "Backspace") key("back");
  else if (event.key === "Delete") key("clear");
  else if (event.key === "F2") press('[data-charge="merchant_qr"]');
  else if (event.key === "F3") press('[data-charge="pay_code"]');
  else if (event.key === "F4") screen.querySelector(".recent button")?.focus();
  else if (event.key === "Escape") press('[data-action="cancel"], [data-action="dismiss"]');
  else if (event.key === "Enter" && event.target === document.body) press(".actions .primary");
  else return;
  event.preventDefault();
});

let audio = null;
const tone = (pitches, seconds) => {
  try {
    audio ??= new AudioContext();
    pitches.forEach((pitch, index) => {
      const from = audio.currentTime + index * (seconds + 0.05);
      const wave = audio.createOscillator();
      const level = audio.createGain();
      level.gain.value = 0.1;
      wave.frequency.value = pitch;
      wave.connect(level).connect(audio.destination);
      wave.start(from);
      wave.stop(from + seconds);
    });
  } catch {
    // No sound here: the screen says it, too.
  }
};
const TONES = { paid: [660, 990], error: [220], warn: [440, 440, 440] };

const show = (told) => {
  const isNew = document.body.dataset.mood !== told.mood;
  document.body.dataset.mood = told.mood;
  screen.innerHTML = told.html; // rendered and escaped by the local server
  draw();
  if (isNew && view === "till" && TONES[told.mood]) tone(TONES[told.mood], 0.15);
};

const events = new EventSource(`/fragments?view=${view}&lang=${lang}`);
events.addEventListener("screen", (event) => show(JSON.parse(event.data)));
// A new process has a new cookie: after a restart of the program the page asks for itself again.
events.addEventListener("error", () => {
  if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 1000);
});

setInterval(() => {
  const line = screen.querySelector(".elapsed");
  if (line) line.textContent = `${Math.max(0, Math.floor((Date.now() - Number(line.dataset.since)) / 1000))} s`;
}, 1000);
draw();
