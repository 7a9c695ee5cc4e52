// What the sale and the pages beside it share: an act that leads to another page, and paper.
import { post, refuse, tell } from "../faces/post.js";
import { once } from "../faces/press.js";
import { play } from "../faces/sound.js";
import { refused } from "./pad.js";

const main = document.getElementById("main");

// Send, show a refusal, and go where the answer leads.
export const go = async (button, send, next) => {
  let code = "";
  await once(
    main,
    async () => {
      const { ok, told, error } = await send();
      if (ok) location.assign(typeof next === "function" ? next(told) : next);
      else if (error) {
        code = error.code;
        refused(error, main);
      }
    },
    button,
  );
  if (code === "shift_reason_needed") main.querySelector("[data-fills]").focus(); // digits are still the count
};

// What is on paper, and what is not. The next customer does not wait for the printer. Of a printer in
// trouble a sale's screen is drawn anew, with it: what came of the print is said on that one.
let sayPrint = () => {};
const stands = ({ code }) => main.querySelector("[data-refusal]:not([hidden]) code")?.textContent === code;
export const sayPrintAgain = () => {
  if (main.querySelector("[data-refusal]")?.hidden) sayPrint();
};
// Paper that comes by itself, a slip or a report: what the printer lacks is said on its page, too.
let isLacking = false;
export const sayLacks = (lacks) => {
  const line = main.querySelector("[data-paper]");
  if (lacks && line?.hidden) refuse(lacks, main);
  if (!lacks && isLacking && line?.classList.contains("error")) line.hidden = true;
  isLacking = Boolean(lacks);
};
const print = (path, body) => (button) =>
  once(
    button,
    async () => {
      const { subject } = button.dataset;
      const { ok, told, error } = await post(path, body(button));
      if (!ok) play("declined");
      sayPrint = () => {
        if (subject && !main.querySelector(`[data-do="reprint"][data-subject="${CSS.escape(subject)}"]`)) return;
        if (ok) tell(document.documentElement.dataset[told.print], main);
        else if (!stands(error)) refuse(error, main);
      };
      sayPrint();
    },
    button,
  );
export const PAPER = {
  print_x: print("/api/shift/x", () => ({})),
  reprint: print("/api/receipts/reprint", (button) => ({ payment_id: button.dataset.subject })),
};
