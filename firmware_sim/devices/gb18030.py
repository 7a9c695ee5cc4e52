"""A font ROM's view of a byte stream: GB18030 in Chinese mode, one code page otherwise."""

REPLACEMENT = "\ufffd"
CODE_PAGES: dict[int, str] = {
    0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 16: "cp1252",
    17: "cp866", 18: "cp852", 19: "cp858",
}  # fmt: skip


class TextDecoder:
    """Bytes in, characters out; a character cut in two by a read waits for its second half."""

    def __init__(self, *, chinese: bool) -> None:
        self.chinese = chinese
        self.code_page = "cp437"
        self._pending = b""

    def feed(self, data: bytes) -> str:
        """The characters that ``data`` completes."""
        if not self.chinese:
            return self.flush() + data.decode(self.code_page, errors="replace")
        stream, self._pending = self._pending + data, b""
        characters: list[str] = []
        at = 0
        while at < len(stream):
            size = _size(stream, at)
            if at + size > len(stream):
                self._pending = stream[at:]
                break
            characters.append(_decode(stream[at : at + size]))
            at += size
        return "".join(characters)

    def flush(self) -> str:
        """What a command leaves of an unfinished character."""
        pending, self._pending = self._pending, b""
        return REPLACEMENT if pending else ""


def _size(stream: bytes, at: int) -> int:
    """Bytes of the character at ``at``; more than the stream has while that is unknown."""
    if not 0x81 <= stream[at] <= 0xFE:
        return 1
    if at + 1 >= len(stream):
        return 2
    second = stream[at + 1]
    if 0x30 <= second <= 0x39:
        return 4
    return 2 if 0x40 <= second <= 0xFE else 1


def _decode(character: bytes) -> str:
    try:
        return character.decode("gb18030")
    except UnicodeDecodeError:
        return REPLACEMENT
