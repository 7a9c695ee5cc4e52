// One listener for the whole page: keyboard, numpad, and scanners that type (keyboard wedges). No
// field needs the focus. Rule 1: a scan is known by its length and form, not by its speed: letters
// and digits, SCAN_CHARS_MIN or more, no gap above GAP_MS and no other key between, closed by Enter
// or Tab.
const GAP_MS = 500;
const SCAN_CHARS_MIN = 12; // an amount has nine digits at most
const SCAN_FORM = /^[\x21-\x7e]+$/;

// takes: {scan(text), start(), key(name, event)}. ``start`` is called when a burst begins, so that
// a page can take back digits that turn out to be a scan. ``key`` returns true for what it used.
export const listen = (takes) => {
  let burst = "";
  let at = 0;
  addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      const now = event.timeStamp;
      if (now - at > GAP_MS) burst = "";
      at = now;
      const name = nameOf(event);
      if (name === "Enter" || name === "Tab") {
        const text = burst;
        burst = "";
        if (text.length >= SCAN_CHARS_MIN && SCAN_FORM.test(text)) {
          event.preventDefault();
          event.stopPropagation();
          takes.scan?.(text);
          return;
        }
      } else if (name.length === 1) {
        if (!burst) takes.start?.();
        burst += name;
      } else if (name !== "Shift") burst = ""; // a scanner shifts, and presses nothing else
      if (isTyping(event.target) && !/^(F\d+|Escape)$/.test(name)) return;
      if (takes.key?.(name, event)) event.preventDefault();
    },
    { capture: true },
  );
};

// A number pad's digits are digits, whatever NumLock says.
const nameOf = (event) => (/^Numpad\d$/.test(event.code) ? event.code.at(-1) : event.key);
export const isTyping = (target) => target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
