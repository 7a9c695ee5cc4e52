"""A port whose other end says anything at all."""

import threading


class Babble:
    """A port that says whatever it was given; then nobody waits any more."""

    def __init__(self, stream: list[bytes]) -> None:
        self._bytes = b"".join(stream)
        self.is_silent = threading.Event()
        self.in_waiting = 0

    def read(self, size: int, /) -> bytes:
        """What comes next."""
        head, self._bytes = self._bytes[:size], self._bytes[size:]
        if not head:
            self.is_silent.set()
        return head

    def write(self, data: bytes, /) -> int:
        """Nobody listens."""
        return len(data)

    def reset_input_buffer(self) -> None:
        """Babble goes on."""

    def close(self) -> None:
        """Nothing to close."""
