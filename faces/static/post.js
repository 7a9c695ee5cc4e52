// Commands of a page: one POST each, with the page's own token. What a server refuses comes back
// as {code, zh, en}; nothing is sent twice by itself.
const UNREACHED = {
  code: "page_offline",
  zh: "程序没有应答，请稍候再试。",
  en: "The program does not answer; try again in a moment.",
};
const token = document.querySelector('meta[name="page-token"]')?.content ?? "";
export const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

export const post = async (path, body = {}, options = {}) => {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-page-token": token },
      body: JSON.stringify(body),
      ...options,
    });
    const told = await answer.json().catch(() => ({}));
    return answer.ok ? { ok: true, told } : { ok: false, error: told.error ?? { ...UNREACHED, code: `http_${answer.status}` } };
  } catch {
    return { ok: false, error: UNREACHED };
  }
};

// Show a refusal where the page has room for it: an element with data-refusal, else first in main.
export const refuse = (error, place = document) => {
  const line = say(`${error[lang] ?? ""} `, place, "error", "alert");
  const code = document.createElement("code");
  code.textContent = error.code ?? "";
  line.append(code);
  line.scrollIntoView({ block: "nearest" });
};

// Say in the same place that something was done.
export const tell = (text, place = document) => {
  say(text, place, "paid", "status").scrollIntoView({ block: "nearest" });
};

const say = (text, place, tone, role) => {
  let line = place.querySelector("[data-refusal]");
  if (!line) {
    line = document.createElement("p");
    line.dataset.refusal = "";
    (place.querySelector("main") ?? document.querySelector("main")).prepend(line);
  }
  line.className = `banner ${tone}`;
  line.setAttribute("role", role);
  line.hidden = false;
  line.textContent = text;
  return line;
};
