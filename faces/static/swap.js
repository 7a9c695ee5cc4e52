// Puts a piece that the server rendered (and escaped) into the page, and keeps what a person was
// doing: the focus, the caret, what stands in fields that have an id, and what of such is unfolded.
// Where what had the focus is gone, its room has it.
export const swap = (place, html) => {
  const held = document.activeElement;
  const name = place.contains(held) ? nameOf(held) : null;
  const typed = new Map();
  for (const field of place.querySelectorAll("input[id], textarea[id]")) typed.set(field.id, field.value);
  const unfolded = [...place.querySelectorAll("details[id][open]")].map((each) => each.id);
  place.innerHTML = html;
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  if (name) (place.querySelector(name) ?? place.closest("[tabindex]"))?.focus({ preventScroll: true });
};

const nameOf = (element) => {
  if (element.id) return `#${CSS.escape(element.id)}`;
  for (const [key, value] of Object.entries(element.dataset)) {
    const attribute = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `[data-${attribute}="${CSS.escape(value)}"]`;
  }
  return null;
};
