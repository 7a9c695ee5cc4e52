// A finger or a face in place of the PIN (WebAuthn). Rule 1: what is confirmed is what stands in the
// form; the server says what has to be signed for exactly that, and takes the answer for nothing else.
// Rule 2: where this device verifies nobody, the page stays as it is, and the PIN does everything.
import { refuse } from "../faces/post.js";

const main = document.getElementById("main");
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
const listed = (known) => known?.map((one) => ({ ...one, id: bytes(one.id) }));
const options = (told) => ({
  ...told,
  challenge: bytes(told.challenge),
  ...(told.user && { user: { ...told.user, id: bytes(told.user.id) } }),
  allowCredentials: listed(told.allowCredentials),
  excludeCredentials: listed(told.excludeCredentials),
});
const answerOf = ({ id, response }) => {
  const names = ["clientDataJSON", "authenticatorData", "signature", "attestationObject"].filter((name) => response[name]);
  const isNew = Boolean(response.attestationObject); // then what else it tells stands in there, too
  const told = names.filter((name) => !isNew || name !== "authenticatorData").map((name) => [name, text(response[name])]);
  return JSON.stringify({ id, response: Object.fromEntries(told) });
};

// What has to be signed for this form; null where the form is refused, which is shown then.
const ask = async (form, isNew) => {
  const fields = new URLSearchParams(new FormData(form));
  if (!isNew) {
    fields.delete("pin");
    fields.set("passkey", "ask");
  }
  const answer = await fetch(form.action, { method: "POST", body: fields });
  if (answer.headers.get("content-type")?.includes("json")) return (await answer.json()).passkey;
  if (answer.redirected) location.assign(answer.url);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const told = page.querySelector("[data-refusal]");
  main.querySelector("[data-refusal]")?.remove();
  if (told) main.prepend(told);
  main.scrollTop = 0;
  if (form.elements.pin) form.elements.pin.value = ""; // a wrong one would stand in the way of the right one
  return null;
};

const confirm = async (form, isNew) => {
  const button = form.querySelector(isNew ? "[data-passkey-add]" : "[data-passkey]");
  const others = [...form.elements].filter((one) => isNew || one.name !== "pin");
  if (form.dataset.busy || !others.every((one) => one.reportValidity())) return;
  form.dataset.busy = "yes";
  button.setAttribute("aria-busy", "true");
  try {
    const told = await ask(form, isNew);
    if (!told) return;
    const publicKey = options(told);
    const made = await (isNew ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
    form.elements[isNew ? "credential" : "passkey"].value = answerOf(made);
    if (form.elements.pin) form.elements.pin.disabled = true; // the answer stands for it
    form.requestSubmit();
  } catch (error) {
    refuse({ code: error.name, zh: button.dataset.failed, en: button.dataset.failed });
    main.scrollTop = 0;
  } finally {
    delete form.dataset.busy;
    button.removeAttribute("aria-busy");
  }
};

const isAble = await window.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.().catch(() => false);
for (const each of main.querySelectorAll(isAble ? "[data-passkey], [data-passkey-new]" : "[data-passkey-unable]")) each.hidden = false;
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-passkey]");
  if (button) confirm(button.form, false);
});
addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.matches("[data-passkey-new]") || form.elements.credential.value) return;
    event.preventDefault();
    event.stopPropagation();
    confirm(form, true);
  },
  { capture: true },
);
