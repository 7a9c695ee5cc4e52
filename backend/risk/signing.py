"""How a program says the word of one of two persons.

Rule: a word is a person's, never a name's. Who is signed in at the console says it there; by a
      program it is said with the code of that person's phone. The bearer of the operator's token is
      nobody, whatever names it knows: alone it says neither word.
"""

from typing import Annotated, Protocol

from pydantic import Field

from backend.wanted import Wanted

SIGNATORY_CHARS_MAX = 64
CODE_CHARS_MIN, CODE_CHARS_MAX = 6, 7


class Signed(Wanted):
    """What such a word carries: the person's name at the console, and the phone's code."""

    by: Annotated[str, Field(min_length=1, max_length=SIGNATORY_CHARS_MAX)]
    code: Annotated[str, Field(min_length=CODE_CHARS_MIN, max_length=CODE_CHARS_MAX, repr=False)]


class Sign(Protocol):
    """Finds out whose word it is."""

    async def __call__(self, by: str, code: str) -> str:
        """The person's name; ``signatory_unknown`` for who is none, ``rank_insufficient`` for who
        may only look, ``console_code_wrong`` for who does not have the phone."""
        ...
