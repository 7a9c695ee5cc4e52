// One run, followed until it ends: a scenario or a replay.
import { follow } from "../faces/bus.js";
import { swap } from "../faces/swap.js";
import { lang } from "../faces/post.js";
import { once } from "../faces/press.js";
import { remember } from "../faces/turn.js";
import { command } from "./command.js";

const place = document.querySelector("#run");
let source = null;

const look = () => {
  for (const list of place.querySelectorAll(".source, .said")) {
    const at = list.querySelector("[aria-current]") ?? (list.matches(".said") ? list.lastElementChild : null);
    if (at) list.scrollTop = at.offsetTop - list.offsetTop - list.clientHeight / 2;
  }
};

export const watch = (number) => {
  source?.close();
  remember({ run: number });
  source = follow(`/bench/runs/${number}/live?lang=${lang}`, {
    run: (told) => {
      if (told.ended) source.close();
      swap(place, told.html);
      swap(document.querySelector("#ran"), told.ran);
      look();
    },
  });
};

const now = () => place?.querySelector("[data-run]");
place?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-run-do]");
  if (button) once(place, () => command(`/runs/${now().dataset.run}/${button.dataset.runDo}`));
});
if (["running", "waiting"].includes(now()?.dataset.state)) watch(now().dataset.run);
if (place) look();
