// Sounds as shipped files, fetched when first wanted. A page without a loudspeaker works the same.
let audio = null;
let last = Promise.resolve();
const clips = new Map();
const muted = () => document.documentElement.dataset.sound === "off";

const clip = (name) => {
  if (!clips.has(name)) {
    const kind = TONES.has(name) ? "wav" : "ogg"; // tones, and spoken words
    const url = new URL(`./sounds/${name}.${kind}`, import.meta.url);
    clips.set(
      name,
      fetch(url)
        .then((answer) => answer.arrayBuffer())
        .then((bytes) => audio.decodeAudioData(bytes)),
    );
  }
  return clips.get(name);
};

const TONES = new Set(["tick", "paid", "declined", "unknown"]);
const SHAKES = { tick: 8, paid: 60, declined: 200, unknown: [80, 80, 80, 80, 80] };

export const play = (...names) => {
  if (muted()) return last;
  try {
    if (names[0] in SHAKES && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(SHAKES[names[0]]);
    audio ??= new AudioContext();
    const wanted = Promise.all(names.map(clip));
    last = wanted.then(sequence).catch(() => undefined);
  } catch {
    // No sound on this machine: the screen says it, too.
  }
  return last;
};

const WORD_PAUSE_S = -0.06; // words run into each other a little, as in speech

const sequence = (buffers) => {
  let from = audio.currentTime;
  for (const buffer of buffers) {
    const source = audio.createBufferSource();
    source.buffer = buffer;
    source.connect(audio.destination);
    source.start(from);
    from += Math.max(0.05, buffer.duration + (buffers.length > 1 ? WORD_PAUSE_S : 0));
  }
};
