"""Tells values and deeds in words, in both languages."""

from pydantic import JsonValue

from faces.words import Words
from firmware_sim.recording.trace import Done
from firmware_sim.words.faults import FAULTS_SET, NO_FAULTS, SHORT_FAULTS
from firmware_sim.words.states import NO, NOTHING, YES, field_words, value_words

_TOLD_MAX = 6


def told(name: str, value: JsonValue) -> Words:
    """A value of a state or of a deed; a long or nested one in short."""
    match value:
        case None | "":
            return NOTHING
        case bool():
            return YES if value else NO
        case list():
            return _joined(", ", [told(name, one) for one in value[-_TOLD_MAX:]])
        case dict():
            pairs = list(value.items())[:_TOLD_MAX]
            rows = [
                _joined(" ", [field_words(f"{name}.{key}"), told(f"{name}.{key}", one)])
                for key, one in pairs
            ]
            return _joined(" · ", rows)
    text = str(value)
    return value_words(name, text if len(text) <= 120 else text[:119] + "…")


def deed_rows(event: Done) -> list[tuple[Words, Words]]:
    """The words of a deed as they are told: name and value."""
    return [_deed_row(name, value) for name, value in event.words.items()]


def _deed_row(name: str, value: JsonValue) -> tuple[Words, Words]:
    if name == "faults" and isinstance(value, list):
        names = [SHORT_FAULTS.get(str(one), Words(str(one), str(one))) for one in value]
        return FAULTS_SET, _joined(", ", names) if names else NO_FAULTS
    return field_words(name), told(name, value)


def _joined(between: str, words: list[Words]) -> Words:
    if not words:
        return NOTHING
    return Words(between.join(one.zh for one in words), between.join(one.en for one in words))
