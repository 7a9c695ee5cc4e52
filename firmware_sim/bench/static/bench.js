// The bench: the board's live drawing, the chosen device, and commands, which all go to the
// control API of the board itself.
import { follow } from "../faces/bus.js";
import { swap } from "../faces/swap.js";
import { lang } from "../faces/post.js";
import { once } from "../faces/press.js";
import { keepAddress, remember } from "../faces/turn.js";
import { act, command, say } from "./command.js";
import { carry } from "./hands.js";
import { faultOf } from "./faults.js";
import { timeline } from "./wire.js";

const side = document.querySelector("#device");
const sheet = new URLSearchParams(location.search).get("sheet") ?? "1";
const chosen = () => side.querySelector("[data-device]")?.dataset.device;
const part = (name) => document.querySelector(`[data-part="${CSS.escape(name)}"]`);
const LED_MS = 160;
let source = null;

// Lights of a line: what the host says lights one, what the device says the other.
const light = (spoke) => {
  const [name, who] = spoke.split(" ");
  const led = who && part(name)?.querySelector(who === "host" ? ".rx" : ".tx");
  if (!led) return;
  led.classList.add("on");
  setTimeout(() => led.classList.remove("on"), LED_MS);
};

const wire = timeline((number) => listen(number));

const listen = (after) => {
  source?.close();
  const asked = new URLSearchParams({ lang, after, sheet, device: chosen() ?? "" });
  if (wire.only()) asked.set("only", wire.only());
  source = follow(`/bench/live?${asked}`, {
    wire: (told) => {
      told.spoke.forEach(light);
      wire.add(told);
    },
    part: (told) => swap(part(told.device), told.html),
    status: (told) => told.device === chosen() && swap(side.querySelector("#status"), told.html),
  });
};

const choose = async (name, open = "") => {
  if (name !== chosen()) {
    const tab = side.querySelector("[data-shows]")?.dataset.shows;
    const piece = await fetch(`/bench/pieces/device/${encodeURIComponent(name)}?lang=${lang}`).catch(() => null);
    if (!piece?.ok) return;
    side.innerHTML = await piece.text();
    if (tab) show(tab);
    remember({ device: name, sheet });
    mark();
    listen(wire.last());
  }
  const form = open && side.querySelector(`form[data-act="${CSS.escape(open)}"]`);
  if (form) {
    show("acts");
    form.parentElement.open = true;
    form.querySelector("input, select")?.focus();
  }
};

// Who chose by keyboard goes on at what can be done with the device; Escape leads back.
const enter = () => side.contains(document.activeElement) || side.querySelector("[aria-selected=true]").focus();

const mark = () => {
  for (const each of document.querySelectorAll("[data-part]")) each.classList.toggle("chosen", each.dataset.part === chosen());
};

const show = (tab) => {
  side.querySelector("[data-shows]").dataset.shows = tab;
  remember({ tab: tab === "acts" ? "" : tab });
  for (const each of side.querySelectorAll("[role=tab]")) {
    const is = each.dataset.tab === tab;
    each.setAttribute("aria-selected", is);
    each.tabIndex = is ? 0 : -1;
  }
};

// Something that can be pressed: a drawn part, a thing at hand, a button of the chosen device.
const press = async (target) => {
  const device = target.closest("[data-part]")?.dataset.part ?? target.dataset.device ?? chosen();
  if (target.dataset.choose) return choose(target.dataset.choose, target.dataset.open);
  if (target.dataset.tab) return show(target.dataset.tab);
  if (target.dataset.act) return act(device, target.dataset.act, JSON.parse(target.dataset.words));
  if (target.dataset.fault) {
    const form = side.querySelector("#faults");
    return form.reportValidity() && command(`/devices/${device}/faults`, faultOf(form, target.dataset.fault));
  }
  if (target.dataset.heal) return command(`/devices/${device}/faults/${target.dataset.heal}`, undefined, "DELETE");
  if (target.dataset.do === "heal") return command(`/devices/${device}/faults`, { faults: [] }, "PUT");
  if (["power-off", "power-on", "unplug", "plug"].includes(target.dataset.do)) return command(`/devices/${device}/${target.dataset.do}`);
  return undefined;
};

const PRESSED = ".hot, .choose, .hand, #device button:not([type=submit])";
addEventListener("click", (event) => {
  const target = event.target.closest?.(PRESSED);
  if (target) once(target.parentElement, () => press(target));
});
addEventListener("keydown", (event) => {
  const target = event.target.closest?.(".hot, .choose");
  if (target && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    once(target.parentElement, () => press(target).then(() => target.dataset.choose && enter()));
  }
  if (event.key === "Escape" && side.contains(event.target)) document.getElementById(`choose-${chosen()}`)?.focus();
  const tab = event.target.closest?.("[role=tab]");
  if (tab && /^Arrow(Left|Right)$/.test(event.key)) {
    const tabs = [...side.querySelectorAll("[role=tab]")];
    const next = tabs.at((tabs.indexOf(tab) + (event.key === "ArrowRight" ? 1 : -1)) % tabs.length);
    show(next.dataset.tab);
    next.focus();
  }
});
side.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.dataset.act) once(event.target, () => say(chosen(), event.target));
});

carry();
mark();
const tab = new URLSearchParams(location.search).get("tab");
if (side.querySelector(`[role=tab][data-tab="${CSS.escape(tab ?? "")}"]`)) show(tab);
listen(wire.last());
keepAddress();
