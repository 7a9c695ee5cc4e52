// The page of traces: record, load, throw away, replay.
import { follow } from "../faces/bus.js";
import { swap } from "../faces/swap.js";
import { lang } from "../faces/post.js";
import { once } from "../faces/press.js";
import { keepAddress } from "../faces/turn.js";
import { command } from "./command.js";
import { watch } from "./run.js";

const go = (name) => location.assign(name ? `?${new URLSearchParams({ name })}` : location.pathname);
const recording = document.querySelector("#recording");

const acts = {
  start: async () => {
    const field = document.querySelector("#record-name");
    if (field.reportValidity()) await command("/recording/start", field.value ? { name: field.value } : {});
  },
  stop: async () => {
    const { ok, told } = await command("/recording/stop");
    if (ok) go(told.trace);
  },
  "throw-away": async (button) => {
    if ((await command(`/traces/${button.dataset.trace}`, undefined, "DELETE")).ok) go();
  },
};

addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-do]");
  if (button && acts[button.dataset.do]) once(button.parentElement, () => acts[button.dataset.do](button));
});
recording.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.id === "record-name") recording.querySelector('[data-do="start"]').click();
});
document.querySelector("#load-file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) document.querySelector("#load-name").textContent = file.name;
});
document.querySelector("#load").addEventListener("submit", (event) => {
  event.preventDefault();
  const file = document.querySelector("#load-file").files[0];
  const name = file.name.replace(/\.jsonl$/, "").replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[-_]+/, "").slice(0, 64) || "trace";
  once(event.target, async () => {
    if ((await command(`/traces/${name}`, file, "PUT")).ok) go(name);
  });
});
document.querySelector("#play")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { trace } = event.target.dataset;
  const body = { trace, device: event.target.elements.device.value, play: event.submitter?.value ?? "host" };
  once(event.target, async () => {
    const { ok, told } = await command("/replays", body);
    if (ok) watch(told.number);
  });
});
follow(`/bench/recording/live?lang=${lang}`, { recording: (html) => swap(recording, html) });
keepAddress();
