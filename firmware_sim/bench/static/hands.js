// Things at hand are carried to their part and let go there. A press, or Enter, does the same.
import { act, base64 } from "./command.js";

const TYPE = "application/x-tillway-hand";
let held = null;

export const carry = () => {
  addEventListener("dragstart", (event) => {
    held = event.target.closest?.(".hand");
    if (!held) return;
    event.dataTransfer.setData(TYPE, held.dataset.act);
    event.dataTransfer.effectAllowed = "copy";
    goal(held.dataset.device)?.classList.add("goal");
  });
  addEventListener("dragend", () => {
    for (const each of document.querySelectorAll(".goal")) each.classList.remove("goal");
    held = null;
  });
  addEventListener("dragover", (event) => {
    if (taken(event)) event.preventDefault();
  });
  addEventListener("drop", async (event) => {
    const part = taken(event);
    if (!part) return;
    event.preventDefault();
    if (held) act(held.dataset.device, held.dataset.act, JSON.parse(held.dataset.words));
    else act(part.dataset.part, "present", { png: await base64(event.dataTransfer.files[0]) });
  });
};

const goal = (name) => document.querySelector(`[data-part="${CSS.escape(name)}"]`);

// The part that takes what is carried: its own thing, or a picture for a part with a lens.
const taken = (event) => {
  const part = event.target.closest?.("[data-part]");
  if (!part) return null;
  if (held) return part.dataset.part === held.dataset.device ? part : null;
  return event.dataTransfer?.types.includes("Files") && part.querySelector(".lens") ? part : null;
};
