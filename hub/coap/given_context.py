"""The contexts of given keys (``given_keys``).

Rule 1: a context is made once in a process and kept for as long as its key is valid: made twice, it
        would use numbers twice.
Rule 2: what a device has sent before this process is not known, so its first message is answered by
        a question that only the device itself can answer now (Echo; RFC 8613 appendix B.1.2).
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiocoap
from aiocoap import error, oscore

from hub.coap.given_keys import HUB_ID, GivenKey, KeyBook
from hub.coap.limits import ECHO_BYTES, NUMBER_BLOCK
from hub.coap.sealed_context import Reseal, Sealed, SealedContext


@contextmanager
def _stored() -> Iterator[None]:
    """Around each use of the keys' file: if the file fails, the device is answered 5.03."""
    try:
        yield
    except sqlite3.Error:
        raise error.ServiceUnavailable from None


class GivenContext(SealedContext):
    """One device's context, in the form that aiocoap works with."""

    id_context = None
    alg_aead = oscore.algorithms[oscore.DEFAULT_ALGORITHM]
    hashfun = oscore.hashfunctions[oscore.DEFAULT_HASHFUNCTION]

    def __init__(self, key: GivenKey, book: KeyBook, reseal: Reseal) -> None:
        self.reseal = reseal
        self.sender_id, self.recipient_id = HUB_ID, key.device_id
        made = book.secrets(key)
        self.derive_keys(made.master_salt, made.master_secret)
        self.recipient_replay_window = oscore.ReplayWindow(oscore.DEFAULT_WINDOWSIZE, lambda: None)
        self.echo_recovery = secrets.token_bytes(ECHO_BYTES)
        self.sender_sequence_number = self._end = 0
        self._book = book

    def protect(self, message: aiocoap.Message, *args: Any, **kwargs: Any) -> Sealed:  # noqa: ANN401
        """As aiocoap's. A device whose key was taken away is told only that, and unprotected."""
        with _stored():
            if self._book.valid(self.recipient_id) is None:
                raise error.Unauthorized("Security context not found")
        return super().protect(message, *args, **kwargs)

    def new_sequence_number(self) -> int:
        """As aiocoap's, but takes the next block of numbers when the last one is used up."""
        if self.sender_sequence_number == self._end:
            with _stored():
                self.sender_sequence_number = self._book.take_block()
            self._end = self.sender_sequence_number + NUMBER_BLOCK
        return int(super().new_sequence_number())

    def post_seqnoincrease(self) -> None:
        """Nothing to do: aiocoap would store each number, and here the whole block is stored."""


class GivenContexts:
    """The contexts of valid keys."""

    def __init__(self, book: KeyBook, reseal: Reseal) -> None:
        self._book = book
        self._reseal = reseal
        self._made: dict[bytes, GivenContext] = {}

    def find(self, device_id: bytes) -> GivenContext:
        """The context that a message names; ``KeyError`` if it was never given or was taken
        away."""
        with _stored():
            key = self._book.valid(device_id)
            if key is None:
                self._made.pop(device_id, None)
                raise KeyError
            if device_id not in self._made:
                self._made[device_id] = GivenContext(key, self._book, self._reseal)
            return self._made[device_id]
