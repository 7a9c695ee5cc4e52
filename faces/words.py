"""Words in both languages. Rule 1: every word that a person reads has both; there is no third."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence in Chinese and in English."""

    zh: str
    en: str


class Bilingual(Protocol):
    """Anything that has a Chinese and an English text, such as an error's advice."""

    @property
    def zh(self) -> str:
        """The Chinese text."""
        ...

    @property
    def en(self) -> str:
        """The English text."""
        ...


Catalogue = Mapping[str, Words]
"""The words of one face by their name."""


def said(words: Bilingual, language: Language) -> str:
    """The text in one language."""
    return words.zh if language == "zh" else words.en
