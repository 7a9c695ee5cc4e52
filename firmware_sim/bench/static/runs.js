// The page of scenarios: begin a run, whole or step by step.
import { once } from "../faces/press.js";
import { keepAddress } from "../faces/turn.js";
import { command } from "./command.js";
import { watch } from "./run.js";

const controls = document.querySelector("#controls");
const seed = () => Number.parseInt(controls.elements.seed.value, 10);

const begin = async (what, stepwise) => {
  const answer = await command("/runs", { ...what, stepwise });
  if (answer.ok) watch(answer.told.number);
};

controls.addEventListener("submit", (event) => {
  event.preventDefault();
  const what = { scenario: controls.dataset.scenario, seed: seed() };
  once(controls, () => begin(what, event.submitter?.value === "stepwise"));
});
document.querySelector(".own").addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  const source = document.querySelector("#source").value;
  once(button.parentElement, () => begin({ source }, button.dataset.do === "own-stepwise"));
});
keepAddress();
