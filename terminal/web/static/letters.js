// Letters for fingers; till.js fetches them when the first field is touched. Rule 1: they are there only
// while a field that a finger has touched takes text; whoever types on keys does not see them. Rule 2:
// what they write is no press of a key, so it is never part of a scan. Rule 3: where the system brings
// keys of its own, these make room for them.
const LABEL_PX = 36; // what stands above a field and belongs to it
const SYSTEM_PX = 100; // a window that loses more while somebody types has the system's keys in it

const board = document.getElementById("letters");
const main = document.getElementById("main");
let field = null;
let height = 0;

export const closeLetters = () => {
  if (!field) return;
  field = null;
  board.hidden = true;
  main.style.translate = "";
};

const capitals = (isOn) => {
  board.dataset.capitals = isOn ? "yes" : "no";
  board.querySelector('[data-act="capitals"]').setAttribute("aria-pressed", String(isOn));
};

// The field goes to the top, so that what follows it can be seen and touched, too.
const place = () => {
  main.style.translate = "";
  field.scrollIntoView({ block: "nearest" });
  const above = field.getBoundingClientRect().top - main.getBoundingClientRect().top - LABEL_PX;
  const lift = Math.min(above, board.offsetHeight);
  if (lift > 0) main.style.translate = `0 ${-lift}px`;
};

export const openLetters = (wanted) => {
  if (field === wanted) return;
  field = wanted;
  height = visualViewport.height;
  board.dataset.only = field.inputMode === "numeric" ? "digits" : "";
  board.hidden = false;
  capitals(false);
  place();
};

const write = (text, from = field.selectionStart, to = field.selectionEnd) => {
  if (field.value.length - (to - from) + text.length > field.maxLength && field.maxLength >= 0) return;
  field.setRangeText(text, from, to, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

const back = () => {
  const { selectionStart: from, selectionEnd: to } = field;
  write("", from === to ? Math.max(from - 1, 0) : from, to);
};

const leave = () => {
  const left = field;
  closeLetters();
  left.blur(); // a scanner that types writes into no field
};

// Something else was pressed.
export const leaveFor = (target) => {
  if (field && target !== field && !board.contains(target)) leave();
};

const ACTS = {
  back,
  capitals: () => capitals(board.dataset.capitals !== "yes"),
  hide: leave,
  done: () => {
    const { form } = field;
    leave();
    form?.requestSubmit();
  },
};
// What takes the letters away waits for the end of a touch, which would go on to what is below them.
const ENDS = new Set(["hide", "done"]);

const press = (button) => {
  const { letter, act } = button.dataset;
  if (act) return ACTS[act]();
  write(board.dataset.capitals === "yes" ? letter.toUpperCase() : letter);
  capitals(false);
};

// At once, because two fingers at a time make no click; by a click where no pointer is (switches).
board.addEventListener("pointerdown", (event) => {
  const button = event.target.closest("button");
  if (button && !ENDS.has(button.dataset.act)) press(button);
});
board.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button && (ENDS.has(button.dataset.act) || event.detail === 0)) press(button);
});
board.addEventListener("longpress", (event) => {
  if (event.target.dataset.act === "back") write("", 0, field.value.length);
});
board.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
addEventListener("keydown", (event) => event.isTrusted && closeLetters(), true);
visualViewport.addEventListener("resize", () => {
  if (!field) return;
  if (visualViewport.height < height - SYSTEM_PX) closeLetters();
  else place();
});
