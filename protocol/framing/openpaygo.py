"""OpenPAYGO tokens: nine digits that give a prepaid meter so many days (OpenPAYGO Token 2.3).

Rule 1: a token is good for one meter's key and one count, and counts only rise: an even one adds
        days, an odd one sets them. Rule 2: the last three digits hide the days behind those of the
        starting code; the others are a chain of SipHash-2-4 under the key, one link a count.
"""

from dataclasses import dataclass

from protocol.errors import CallerError

KEY_BYTES = 16
TOKEN_DIGITS = 9
DAYS_MAX = 995
COUNT_MAX = 65_534
JUMP_MAX = 64
"""How far ahead of its last count a meter looks."""
_BASE = 1000
_MASK = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says to the meter it was made for."""

    count: int
    days: int

    @property
    def is_adding(self) -> bool:
        """Whether the days are added; else they replace what is left."""
        return self.count % 2 == 0


def next_adding_count(last_count: int) -> int:
    """The lowest count of a token that adds, above what the meter has taken."""
    return last_count + 2 - last_count % 2


def make_token(key: bytes, *, count: int, days: int) -> str:
    """The nine digits."""
    if not (0 < count <= COUNT_MAX and 0 < days <= DAYS_MAX):
        raise CallerError("field_invalid", "count or days of a token")
    start = _starting_code(key)
    base = (start % _BASE + days) % _BASE
    code = _with_base(start, base)
    for _ in range(count):
        code = _next(code, key)
    return f"{_with_base(code, base):0{TOKEN_DIGITS}d}"


def read_token(key: bytes, digits: str, *, last_count: int) -> Token | None:
    """What a token says, also one that was taken before; None for one that is not this meter's,
    or more than ``JUMP_MAX`` counts ahead."""
    if len(digits) != TOKEN_DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    start, wanted = _starting_code(key), int(digits)
    base = wanted % _BASE
    code, found = _with_base(start, base), None
    for count in range(1, last_count + JUMP_MAX + 1):
        code = _next(code, key)
        if _with_base(code, base) == wanted:
            found = Token(count, (base - start % _BASE) % _BASE)
    return found if found is not None and 0 < found.days <= DAYS_MAX else None


def siphash_2_4(key: bytes, message: bytes) -> int:
    """SipHash-2-4 of a message under 16 bytes of key, as one number."""
    if len(key) != KEY_BYTES:
        raise CallerError("config_invalid", "a meter's key has 16 bytes")
    low, high = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    state = [
        low ^ 0x736F6D6570736575,
        high ^ 0x646F72616E646F6D,
        low ^ 0x6C7967656E657261,
        high ^ 0x7465646279746573,
    ]
    tail = len(message) % 8
    padded = message + bytes(7 - tail) + bytes((len(message) & 0xFF,))
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        state[3] ^= word
        _rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xFF
    _rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _rounds(v: list[int], count: int) -> None:
    for _ in range(count):
        v[0] = v[0] + v[1] & _MASK
        v[1] = _turn(v[1], 13) ^ v[0]
        v[0] = _turn(v[0], 32)
        v[2] = v[2] + v[3] & _MASK
        v[3] = _turn(v[3], 16) ^ v[2]
        v[0] = v[0] + v[3] & _MASK
        v[3] = _turn(v[3], 21) ^ v[0]
        v[2] = v[2] + v[1] & _MASK
        v[1] = _turn(v[1], 17) ^ v[2]
        v[2] = _turn(v[2], 32)


def _turn(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) & _MASK


def _starting_code(key: bytes) -> int:
    return _folded(siphash_2_4(key, key))


def _next(code: int, key: bytes) -> int:
    return _folded(siphash_2_4(key, code.to_bytes(4, "big") * 2))


def _folded(digest: int) -> int:
    """A hash as a number of nine digits."""
    number = (digest >> 32 ^ digest & 0xFFFFFFFF) >> 2
    return number - 73_741_825 if number > 999_999_999 else number


def _with_base(code: int, base: int) -> int:
    return code - code % _BASE + base
