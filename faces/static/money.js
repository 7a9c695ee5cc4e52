// Amounts in the page. Rule 1: minor units, as digits or BigInt; a floating number never holds money.
export const DIGITS_MAX = 9;

// "1280" with two places is "12.80"; digits fill from the right, as on a till.
export const shown = (digits, places) => {
  const text = String(digits);
  const sign = text.startsWith("-") ? "-" : "";
  const padded = text.slice(sign.length).padStart(places + 1, "0");
  const whole = padded.slice(0, padded.length - places).replace(/^0+(?=\d)/, "");
  return sign + (places ? `${whole}.${padded.slice(padded.length - places)}` : whole);
};

// What a key makes of the digits so far.
export const keyed = (digits, key) => {
  if (key === "back") return digits.slice(0, -1);
  if (key === "clear") return "";
  const next = (digits + key).replace(/^0+/, "");
  return next.length <= DIGITS_MAX ? next : digits;
};

// "12.8" with two places is 1280n; null for what is no amount.
export const parsed = (text, places) => {
  const match = /^(\d{1,9})(?:[.](\d+))?$/.exec(text.trim());
  if (!match || (match[2] ?? "").length > places) return null;
  return BigInt(match[1] + (match[2] ?? "").padEnd(places, "0"));
};

// JSON has no BigInt; every amount here is far below 2^53.
export const minor = (digits) => Number.parseInt(String(digits || "0"), 10);
