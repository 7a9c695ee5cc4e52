// The page of scenarios: begin a run, whole or step by step.
import { once } from "../faces/press.js";
import { keepAddress, remember } from "../faces/turn.js";
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
// What is typed here outlives a reload: the seed in the address, the text in the tab.
const own = document.querySelector(".own");
const source = own.querySelector("#source");
const draft = `bench.source.${controls.dataset.scenario}`;
controls.elements.seed.addEventListener("change", () => remember({ seed: controls.elements.seed.value }));
source.addEventListener("input", () => sessionStorage.setItem(draft, source.value));
const kept = { seed: new URLSearchParams(location.search).get("seed"), source: sessionStorage.getItem(draft) };
if (kept.seed) controls.elements.seed.value = kept.seed;
if (kept.source !== null && kept.source !== source.value) {
  source.value = kept.source;
  own.open = true;
}

own.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  once(button.parentElement, () => begin({ source: source.value }, button.dataset.do === "own-stepwise"));
});
keepAddress();
