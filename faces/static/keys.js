// One listener for the whole page: keyboard, numpad, and scanners that type (keyboard wedges). No
// field needs the focus. Rule 1: a scan is known by its length and form, not by its speed: letters
// and digits, SCAN_CHARS_MIN or more, no gap above GAP_MS and no other key between, closed by Enter
// or Tab. Rule 2: that there are keys is known by what no scanner types: so few characters that no code
// is as short, and keys that are no character. A number pad's tell of the number pad alone.
const GAP_MS = 500;
const SCAN_CHARS_MIN = 12; // an amount has nine digits at most
const KEYED_CHARS_MAX = 5; // the shortest code has six
const KEYED = /^(F\d+|Escape|Delete|Arrow\w+)$/;
const SCAN_FORM = /^[\x21-\x7e]+$/;

// takes: {scan(text), start(), key(name, event), keys(which)}. ``start`` is called when a burst begins, so
// that a page can take back digits that turn out to be a scan. ``key`` returns true for what it used.
// ``keys`` is told that there are some: "pad", or "full".
export const listen = (takes) => {
  let burst = "";
  let isOfPad = true;
  let at = 0;
  const end = () => {
    const text = burst;
    if (text && text.length <= KEYED_CHARS_MAX) takes.keys?.(isOfPad ? "pad" : "full");
    burst = "";
    isOfPad = true;
    return text;
  };
  addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      const now = event.timeStamp;
      if (now - at > GAP_MS) end();
      at = now;
      const name = nameOf(event);
      if (name === "Enter" || name === "Tab") {
        const text = end();
        if (text.length >= SCAN_CHARS_MIN && SCAN_FORM.test(text)) {
          event.preventDefault();
          event.stopPropagation();
          takes.scan?.(text);
          return;
        }
      } else if (name.length === 1) {
        if (!burst) takes.start?.();
        burst += name;
        isOfPad &&= isPad(event);
      } else if (name !== "Shift") {
        end(); // a scanner shifts, and presses nothing else
        if (KEYED.test(name) && !isPad(event)) takes.keys?.("full");
      }
      if (isTyping(event.target) && !/^(F\d+|Escape)$/.test(name)) return;
      if (takes.key?.(name, event)) event.preventDefault();
    },
    { capture: true },
  );
};

const isPad = (event) => event.code.startsWith("Numpad");

// A number pad's digits are digits, whatever NumLock says.
const nameOf = (event) => (/^Numpad\d$/.test(event.code) ? event.code.at(-1) : event.key);
export const isTyping = (target) => target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
