// Everything on a page that tells time: [data-clock] the hour in a time zone, [data-since] seconds gone,
// [data-age] how old, [data-until] a ring that runs out. The server's clock is the browser's here.
const tick = () => {
  const now = Date.now();
  for (const each of document.querySelectorAll("[data-clock]"))
    each.textContent = new Date(now).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: each.dataset.clock || undefined });
  for (const each of document.querySelectorAll("[data-since]"))
    each.textContent = `${Math.max(0, Math.floor((now - Number(each.dataset.since)) / 1000))} s`;
  for (const each of document.querySelectorAll("[data-age]")) each.textContent = age(Math.max(0, now - Number(each.dataset.age)));
  for (const each of document.querySelectorAll("[data-until]")) run(each, now);
};

const age = (ms) => {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
};

// Quiet until its last quarter; then it says how many seconds are left.
const run = (ring, now) => {
  const { from, until } = ring.dataset;
  const whole = Number(until) - Number(from);
  const left = Math.max(0, Number(until) - now);
  const share = whole > 0 ? left / whole : 0;
  ring.classList.toggle("late", share < 0.25);
  ring.querySelector(".left")?.setAttribute("stroke-dasharray", `${Math.round(share * 100)} 100`);
  const text = document.querySelector("[data-left]");
  if (text) text.textContent = share < 0.25 ? `${Math.ceil(left / 1000)} s` : "";
};

export const keepTime = () => {
  tick();
  setInterval(tick, 1000);
};
export { tick };
