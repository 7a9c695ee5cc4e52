"""What a signature scheme offers to the suites. A scheme is chosen by data, never by ``if``."""

from typing import Protocol


class Signer(Protocol):
    """A loaded private key. Safe to share between threads."""

    @property
    def public(self) -> bytes:
        """The canonical encoding of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The fixed-length signature of a message."""
        ...


class Verifier(Protocol):
    """A loaded public key. Safe to share between threads."""

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is good; False, never an exception, for a malformed one."""
        ...


class Scheme(Protocol):
    """How one suite makes keys and loads them."""

    def generate(self) -> bytes:
        """A new private key in canonical form."""
        ...

    def signer(self, private: bytes) -> Signer:
        """Load a private key; ``ValueError`` when it is malformed or out of range."""
        ...

    def verifier(self, public: bytes) -> Verifier:
        """Load a public key; ``ValueError`` unless it is a valid key in its canonical form."""
        ...
