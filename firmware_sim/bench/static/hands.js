// Things at hand are carried to their part and let go there. A press, or Enter, does the same.
import { lang, refuse } from "../faces/post.js";
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
    if (partAt(event)) event.preventDefault();
  });
  addEventListener("drop", async (event) => {
    const part = partAt(event);
    if (!part) return;
    event.preventDefault();
    if (!takes(part)) refuse({ code: "field_invalid", [lang]: belongs() }, document.getElementById("device"));
    else if (held) act(held.dataset.device, held.dataset.act, JSON.parse(held.dataset.words));
    else act(part.dataset.part, "present", { png: await base64(event.dataTransfer.files[0]) });
  });
};

const goal = (name) => document.querySelector(`[data-part="${CSS.escape(name)}"]`);

// The part under what is carried: one of ours, or files.
const partAt = (event) => (held || event.dataTransfer?.types.includes("Files") ? event.target.closest?.("[data-part]") : null);

// A part takes its own thing; one with a lens, a picture.
const takes = (part) => (held ? part.dataset.part === held.dataset.device : Boolean(part.querySelector(".lens")));

// Where what was let go elsewhere belongs.
const belongs = () => {
  const said = document.querySelector(".hands").dataset;
  if (!held) return said.pictureBelongs;
  return said.belongs.replace("{thing}", held.textContent).replace("{part}", held.dataset.device);
};
