// What a form says of a field that is empty or does not fit: in the page's language, where the
// browser has only its own. The words stand in the page: `data-wrong` of the field, or the body's
// `data-missing` and `data-unfit`. Without a script the browser's words are shown.
const words = (field) => {
  const usual = document.body.dataset;
  if (field.validity.valueMissing) return usual.missing;
  return field.dataset.wrong ?? usual.unfit;
};

addEventListener(
  "invalid",
  (event) => {
    const field = event.target;
    field.setCustomValidity("");
    if (!field.validity.valid) field.setCustomValidity(words(field));
  },
  true,
);
for (const name of ["input", "change"]) addEventListener(name, (event) => event.target.setCustomValidity?.(""), true);
