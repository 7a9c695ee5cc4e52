"""Small numbers of commands: many are said as themselves or as their digit, 0 or 30h for none."""

_DIGIT_0 = 0x30


def number_of(value: int, most: int) -> int | None:
    """Which of 0 to ``most`` a byte says, either way; ``None`` for any other, which is out of the
    command's range."""
    for found in (value, value - _DIGIT_0):
        if 0 <= found <= most:
            return found
    return None
