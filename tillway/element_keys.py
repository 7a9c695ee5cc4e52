"""A machine's signing keys in the secure element on one of its ports.

Rule 1: a new key takes a free slot; if there is none, one that no identity names.
Rule 2: keys that are in a file still open, so that a machine moves its key into an element by
renewing it.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from protocol.crypto.keys import Signs, VerifyKey
from protocol.crypto.sealing import unseal
from protocol.crypto.suites import Suite
from protocol.errors import CallerError
from protocol.identity import ElementKey
from terminal.adapters.secure_element import SerialSecureElement

SLOTS = 4
PIN_BYTES_MIN, PIN_BYTES_MAX = 4, 16


@dataclass(frozen=True, slots=True)
class ElementKeys:
    """``KeyHome`` in the element on a port. A new element gets the PIN."""

    port: str
    pin: bytes = field(repr=False)
    passphrase: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not PIN_BYTES_MIN <= len(self.pin) <= PIN_BYTES_MAX:
            raise CallerError(
                "config_invalid", f"a PIN has {PIN_BYTES_MIN} to {PIN_BYTES_MAX} bytes"
            )

    def make(self, taken: Collection[int]) -> bytes:
        """As ``KeyHome.make``."""
        with self._element() as element:
            key = asyncio.run(_made(element, self.pin, taken))
        return key.to_bytes()

    def open(self, content: bytes) -> Signs:
        """As ``KeyHome.open``."""
        key = ElementKey.from_bytes(content)
        if key is None:
            return unseal(content, self.passphrase)
        return ElementSigner(self, key)

    def sign(self, key: ElementKey, message: bytes) -> bytes:
        """A signature by the element."""
        with self._element() as element:
            return asyncio.run(element.sign(key.slot, message, key.public))

    @contextmanager
    def _element(self) -> Iterator[SerialSecureElement]:
        element = SerialSecureElement(self.port, pin=self.pin)
        try:
            yield element
        finally:
            asyncio.run(element.aclose())


@dataclass(frozen=True, slots=True)
class ElementSigner:
    """``Signs`` by an element's key; blocks until the element has answered."""

    home: ElementKeys
    key: ElementKey

    @property
    def suite(self) -> Suite:
        """As ``Signs.suite``."""
        return self.key.public.suite

    @property
    def public(self) -> VerifyKey:
        """As ``Signs.public``."""
        return self.key.public

    @property
    def kid(self) -> bytes:
        """As ``Signs.kid``."""
        return self.key.public.kid

    def sign(self, message: bytes) -> bytes:
        """As ``Signs.sign``."""
        return self.home.sign(self.key, message)


async def _made(element: SerialSecureElement, pin: bytes, taken: Collection[int]) -> ElementKey:
    status = await element.status()
    if not status.is_initialised:
        await element.initialise(pin)
        status = await element.status()
    free = [slot for slot in range(SLOTS) if slot not in status.slots]
    if not free:
        spare = next(slot for slot in range(SLOTS) if slot not in taken)
        await element.delete(spare)
        free = [spare]
    return ElementKey(free[0], await element.generate(free[0]))
