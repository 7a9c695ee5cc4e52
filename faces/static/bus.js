// Follows a stream of server-sent events. The browser comes back by itself and says what it saw
// last; a stream that the server refuses (a new process knows no old page) loads the page again, as
// soon as somebody answers there: a page of the browser's own would not come back.
import { afterPress } from "./held.js";

const LOST_AFTER_MS = 1500;
const RELOAD_AFTER_MS = 300;

const comeBack = async () => {
  const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
  if (answer) location.reload();
  else setTimeout(comeBack, LOST_AFTER_MS);
};

export const follow = (url, handlers) => {
  const source = new EventSource(url);
  let lost = 0;
  const root = document.documentElement;
  const back = () => {
    clearTimeout(lost);
    lost = 0;
    delete root.dataset.line;
  };
  source.addEventListener("open", back);
  for (const [name, take] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => {
      back();
      afterPress(() => take(JSON.parse(event.data)));
    });
  }
  source.addEventListener("error", () => {
    lost ||= setTimeout(() => (root.dataset.line = "lost"), LOST_AFTER_MS);
    if (source.readyState === EventSource.CLOSED) setTimeout(comeBack, RELOAD_AFTER_MS);
  });
  addEventListener("pagehide", () => source.close());
  // A page that the browser kept and brings back has no stream any more.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  return source;
};
