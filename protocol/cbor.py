"""CBOR as this stack uses it: plain values, definite lengths, no duplicate keys, bounded depth.

RFC 8949 §4.2 (deterministic encoding) for everything we sign; on the way in anything that is not
a plain value (floats, dates, tags, undefined) is refused, so no decoder hook ever runs on it.
In Python ``True`` is also the integer 1: a truth value is no key, no version and no count here, so
that every other reader of the same signed bytes sees what we see.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeGuard, cast

import cbor2

from protocol.errors import CallerError
from protocol.limits import CBOR_DEPTH_MAX, COUNTER_MAX

_PLAIN = frozenset((int, bool, str, bytes, type(None)))
_KEYS = (int, str)


def encode(value: object) -> bytes:
    """The deterministic encoding of a plain value."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, *, bytes_max: int, allow_indefinite: bool = False) -> Any:  # noqa: ANN401  # any plain value
    """The one plain value that ``data`` holds; of indefinite length only where a peer's own
    encoder makes it so and nothing is signed.

    Raises ``envelope_too_large`` beyond ``bytes_max`` and ``envelope_malformed`` otherwise.
    """
    if len(data) > bytes_max:
        raise CallerError("envelope_too_large")
    stream = BytesIO(data)
    try:
        value = cbor2.CBORDecoder(
            stream,
            max_depth=CBOR_DEPTH_MAX,
            allow_indefinite=allow_indefinite,
            allow_duplicate_keys=False,
            semantic_decoders=_EVERY_TAG,
        ).decode()
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        raise CallerError("envelope_malformed") from None
    if stream.tell() != len(data) or not _is_plain(value):
        raise CallerError("envelope_malformed")
    return value


def is_count(value: object) -> TypeGuard[int]:
    """Whether it is an integer from 0 to ``COUNTER_MAX``, and not a truth value."""
    return type(value) is int and 0 <= value <= COUNTER_MAX


def is_version(value: object, version: int) -> bool:
    """Whether it is this version number, and not a truth value."""
    return type(value) is int and value == version


def _refuse_tag(_decoder: object, *_: object) -> object:
    raise ValueError("a tag")


class _EveryTag(dict[int, Callable[..., object]]):
    """Tells the decoder to refuse each tag before its own decoders see it: it would make an
    integer of a big number, compile a regular expression, or skip a tag it does not know."""

    def __missing__(self, tag: int) -> Callable[..., object]:
        return _refuse_tag


_EVERY_TAG = _EveryTag()


def _is_plain(value: object) -> bool:
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is dict:
        for key, item in cast(dict[object, object], value).items():
            if type(key) not in _KEYS or not _is_plain(item):
                return False
        return True
    if kind is list or kind is tuple:
        for item in cast(list[object], value):  # noqa: SIM110  # a generator costs twice as much
            if not _is_plain(item):
                return False
        return True
    return False
