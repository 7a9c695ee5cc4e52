// Commands: one request each to the control API; a refusal stands where the chosen device is told.
import "../faces/own_words.js";
import { lang, post, refuse } from "../faces/post.js";

const place = document.querySelector("#device, .stage") ?? document;

export const command = async (path, body = {}, method = "POST") => {
  const raw = body instanceof Blob ? { body } : {};
  const answer = await post(path, body, { method, ...raw });
  const line = place.querySelector("[data-refusal]");
  if (line) line.hidden = true;
  if (!answer.ok) {
    refuse(answer.error, place);
    const detail = (lang === "zh" && answer.error.detail_zh) || answer.error.detail;
    if (detail) place.querySelector("[data-refusal]").append(detail.includes("\n") ? `\n${detail}` : ` ${detail}`);
  }
  return answer;
};

export const act = (device, name, words) => command(`/devices/${device}/acts/${name}`, words);

// An act with the words of its form. What may be left out and is empty is left out.
export const say = async (device, form) => {
  const words = {};
  for (const field of form.querySelectorAll("[data-sort]")) {
    if (field.dataset.sort === "truth") words[field.name] = field.checked;
    else if (field.dataset.sort === "file") {
      if (field.files[0]) words[field.name] = await base64(field.files[0]);
    } else if (field.value !== "" || field.required) {
      words[field.name] = field.dataset.sort === "number" ? Number.parseInt(field.value, 10) : field.value;
    }
  }
  const answer = await act(device, form.dataset.act, words);
  if (answer.ok) for (const field of form.querySelectorAll('[data-sort="secret"]')) field.value = "";
};

export const base64 = async (file) => {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
};
