// A fault as the form says it: where it strikes is one choice, of which two fields follow.
export const faultOf = (form, kind) => {
  const number = (name) => Number.parseInt(form.elements[name].value, 10);
  const where = form.elements.where.value;
  return {
    kind,
    side: form.elements.side.value,
    at: number("at"),
    repeat: where === "repeat",
    rate_ppm: where === "chance" ? number("rate_ppm") : 0,
    from_ms: number("from_ms"),
    for_ms: number("for_ms"),
    slow_byte_ms: number("slow_byte_ms"),
    delay_ms: number("delay_ms"),
    seed: number("seed"),
  };
};
