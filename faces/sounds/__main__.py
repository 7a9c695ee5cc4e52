"""``python -m faces.sounds``: write the sound files that the pages play."""

from pathlib import Path

from faces.sounds.tones import SOUNDS, wav

FOLDER = Path(__file__).resolve().parents[1] / "static" / "sounds"


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, tones in SOUNDS.items():
        (FOLDER / f"{name}.wav").write_bytes(wav(tones))


if __name__ == "__main__":
    main()
