"""Where in a frame's bytes its fields stand: what a decoder tells, else what can be found.

Rule 1: a field is found only if its text, or its bytes where it is hexadecimal, stand in the frame
exactly once; what could be meant twice is not guessed.
Rule 2: a masked text is sought by its open ends: each ``*`` stands for one byte.
"""

import re

from firmware_sim.frames import Frame
from firmware_sim.limits import PLACES_FRAME_BYTES_MAX

Places = dict[str, tuple[int, int]]
"""(start, end) in the frame's bytes, by field."""
_HEX = re.compile(r"(?:[0-9a-f]{2}){2,}")
_TEXT_CHARS_MIN = 3


def places_of(frame: Frame) -> Places:
    """The places of those fields that have one."""
    places = {name: place for name, place in frame.places.items() if name in frame.fields}
    if len(frame.raw) > PLACES_FRAME_BYTES_MAX:
        return places
    for name, value in frame.fields.items():
        if name not in places and isinstance(value, str):
            found = _found(frame.raw, value)
            if found is not None:
                places[name] = found
    return places


def _found(raw: bytes, value: str) -> tuple[int, int] | None:
    if len(value) < _TEXT_CHARS_MIN:
        return None
    forms = [b".".join(map(re.escape, value.encode().split(b"*")))]
    if _HEX.fullmatch(value):
        forms.append(re.escape(bytes.fromhex(value)))
    hits = [hit.span() for form in forms for hit in re.finditer(form, raw, re.DOTALL)]
    return hits[0] if len(hits) == 1 else None
