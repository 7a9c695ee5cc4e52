// The front page: three live pieces from one stream, and the guide's five acts.
import { follow } from "../faces/bus.js";
import { swap } from "../faces/swap.js";
import { lang, post, refuse } from "../faces/post.js";
import { once } from "../faces/press.js";

const piece = (name) => document.querySelector(`[data-piece="${name}"]`);
const guide = piece("guide");
let acts = 0; // while one runs, what the stream says of the guide may be older than its answer
let held = ""; // so it waits, and counts only if the act was refused

// A refusal stays until somebody acts, whatever is drawn around it.
const take = (html) => {
  held = html;
  if (acts) return;
  const said = guide.querySelector("[data-refusal]:not([hidden])");
  swap(guide, html);
  if (said) guide.querySelector("[data-refusal]").replaceWith(said);
};

const act = async (button) => {
  acts += 1;
  held = "";
  try {
    const body = button.dataset.minor ? { amount_minor: Number(button.dataset.minor) } : {};
    const { ok, told, error } = await post(`/guide/${button.dataset.do}`, body);
    if (ok) {
      swap(guide, told.guide);
      swap(piece("way"), told.way);
      guide.querySelector(".stage .key")?.focus({ preventScroll: true });
    } else {
      refuse(error, guide);
    }
  } finally {
    acts -= 1;
  }
  if (held && guide.querySelector("[data-refusal]:not([hidden])")) take(held);
};

guide.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) once(guide, () => act(button), button);
});

follow(`/live?lang=${lang}`, {
  parts: (html) => swap(piece("parts"), html),
  way: (html) => swap(piece("way"), html),
  guide: take,
});
