// The wire as a timeline: the newest lines, one of them open with its bytes and fields. The page
// holds a bounded number of lines; the server keeps more.
import { lang } from "../faces/post.js";
import { remember } from "../faces/turn.js";

const ROWS_MAX = 300;
const NEAR_PX = 40;

export const timeline = (listenAgain) => {
  const place = document.querySelector("#wire");
  const rows = place.querySelector("#rows");
  const detail = place.querySelector("#detail");
  const only = place.querySelector("#only");
  const pause = place.querySelector('[data-do="pause"]');
  const missed = place.querySelector("[data-missed]");
  let last = Number(place.dataset.last);
  let open = 0;

  const isPaused = () => pause.getAttribute("aria-pressed") === "true";
  const end = () => (rows.scrollTop = rows.scrollHeight);

  const add = (told) => {
    last = told.last;
    if (isPaused()) {
      missed.textContent = Number(missed.textContent) + told.count;
      missed.parentElement.hidden = false;
      return;
    }
    const isAtEnd = rows.scrollHeight - rows.scrollTop - rows.clientHeight < NEAR_PX;
    put(told.html);
    while (rows.children.length > ROWS_MAX) rows.firstElementChild.remove();
    if (isAtEnd) end();
  };

  // A line that is there already is told anew, such as a picture that was said once more.
  const put = (html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    for (const row of fresh.content.querySelectorAll(".row")) {
      const there = rows.querySelector(`[data-number="${row.dataset.number}"]`);
      if (there?.hasAttribute("aria-current")) row.setAttribute("aria-current", "true");
      if (there) there.replaceWith(row);
      else rows.append(row.parentElement);
    }
  };

  const reload = async () => {
    const asked = new URLSearchParams({ lang, ...(only.value && { device: only.value }) });
    rows.innerHTML = await (await fetch(`/bench/pieces/wire?${asked}`)).text();
    missed.textContent = "0";
    missed.parentElement.hidden = true;
    end();
  };

  const shown = (row) => {
    for (const each of rows.querySelectorAll("[aria-current]")) each.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    return opened(row.dataset.opens);
  };
  const opened = async (number) => {
    open = number;
    remember({ frame: number });
    const html = await (await fetch(`/bench/pieces/wire/${number}?lang=${lang}`)).text();
    if (open === number) detail.innerHTML = html;
  };

  rows.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (row) shown(row);
  });
  rows.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...rows.querySelectorAll(".row")];
    const at = all.findIndex((row) => row.hasAttribute("aria-current"));
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
    next?.scrollIntoView({ block: "nearest" });
    if (next) shown(next);
  });
  only.addEventListener("change", async () => {
    remember({ only: only.value });
    await reload();
    listenAgain(last);
  });
  pause.addEventListener("click", () => {
    const on = !isPaused();
    pause.setAttribute("aria-pressed", on);
    if (!on) reload();
  });

  detail.addEventListener("click", (event) => {
    const time = event.target.closest("[data-opens]");
    if (time) opened(time.dataset.opens);
  });

  // Bytes and fields point at each other.
  const point = (event) => {
    const number = event.target.closest("[data-f]")?.dataset.f;
    for (const each of detail.querySelectorAll("[data-f]")) each.classList.toggle("lit", each.dataset.f === number);
  };
  for (const kind of ["mouseover", "focusin", "click"]) detail.addEventListener(kind, point);

  // The page is loaded again as it was.
  const before = new URLSearchParams(location.search);
  const begin = async () => {
    only.value = before.get("only") ?? "";
    if (only.selectedIndex < 0) only.value = "";
    if (only.value) await reload();
    end();
    const frame = Number(before.get("frame"));
    const row = rows.querySelector(`[data-opens="${frame}"]`);
    row?.scrollIntoView({ block: "nearest" });
    if (frame) await (row ? shown(row) : opened(frame));
  };
  begin();
  return { add, last: () => last, only: () => only.value };
};
