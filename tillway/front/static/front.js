// The front page: four live pieces from one stream, and the acts of guide and evening.
import { follow } from "../faces/bus.js";
import { swap } from "../faces/swap.js";
import { lang, post, refuse } from "../faces/post.js";
import { once } from "../faces/press.js";

const piece = (name) => document.querySelector(`[data-piece="${name}"]`);
const acts = { guide: 0, evening: 0, things: 0 }; // while one runs, what the stream says may be older
const held = {}; // so it waits, and counts only if the act was refused
const shown = {}; // when each piece was drawn

// The stream and an act's answer come by two lines: what was drawn before what is shown is too late.
const show = (name, { html, drawn }) => {
  if (drawn < (shown[name] ?? 0)) return;
  shown[name] = drawn;
  swap(piece(name), html);
};

// A refusal stays until somebody acts, whatever is drawn around it.
const take = (name) => (told) => {
  held[name] = told;
  if (acts[name] && name !== "evening") return;
  const place = piece(name);
  const said = place.querySelector("[data-refusal]:not([hidden])");
  show(name, told);
  if (said) place.querySelector("[data-refusal]").replaceWith(said);
};

const bodyOf = ({ minor, manner, story, car, item }) => ({
  ...(story && { story }),
  ...(car && { car: Number(car) }),
  ...(item && { item }),
  ...(minor && { amount_minor: Number(minor) }),
  ...(manner && { manner }),
});

const act = async (name, button) => {
  const place = piece(name);
  acts[name] += 1;
  held[name] = null;
  try {
    const { ok, told, error } = await post(`/${button.dataset.do}`, bodyOf(button.dataset));
    if (ok) {
      for (const changed of [name, "way"]) show(changed, { html: told[changed], drawn: told.drawn });
      place.querySelector(".said .key")?.focus({ preventScroll: true });
    } else {
      refuse(error, place);
    }
  } finally {
    acts[name] -= 1;
  }
  if (held[name] && place.querySelector("[data-refusal]:not([hidden])")) take(name)(held[name]);
};

for (const name of Object.keys(acts)) {
  piece(name).addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) once(piece(name), () => act(name, button), button);
  });
}

// A browser lets a tab be opened at the press itself only, so it is there before its address is.
const walkIn = async (button) => {
  const place = document.querySelector(".doors");
  place.querySelector("[data-refusal]").hidden = true;
  const tab = open("", "_blank");
  const { ok, told, error } = await post("/open", { door: button.dataset.door });
  if (!ok) {
    tab?.close();
    refuse(error, place);
  } else if (tab) {
    tab.opener = null;
    tab.location.replace(told.url);
  } else {
    location.assign(told.url);
  }
};

document.querySelector(".doors").addEventListener("click", (event) => {
  const button = event.target.closest("[data-door]");
  if (button) once(document.querySelector(".doors"), () => walkIn(button), button);
});

// A part that nobody starts any more by itself.
const start = async (button) => {
  const { ok, told, error } = await post(`/${button.dataset.do}`, {});
  if (ok) show("parts", { html: told.parts, drawn: told.drawn });
  else refuse(error, piece("parts"));
};

piece("parts").addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) once(piece("parts"), () => start(button), button);
});

const draw = (name) => (told) => show(name, told);

follow(`/live?lang=${lang}`, {
  health: draw("health"),
  parts: draw("parts"),
  matter: draw("matter"),
  card: draw("card"),
  way: draw("way"),
  guide: take("guide"),
  evening: take("evening"),
  things: take("things"),
});
