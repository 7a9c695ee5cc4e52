"""A name as it is compared: in one script, without accents, in every order it may be written in.

Rule 1: letter case, width, accents, punctuation and the legal form of a company make no other name.
Rule 2: a Chinese name is compared by its simplified characters and by its pinyin, the surname read
        as surnames are; so 單于, 单于 and Chanyu meet.
Rule 3: where the words are parted is not trusted: San Feng and Sanfeng are one. Nor is which word
        comes first.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import opencc
from pypinyin import lazy_pinyin

from backend.risk.aml.screening.limits import NAME_CHARS_MAX, ROTATIONS_MAX, TOKENS_MAX


class Script(StrEnum):
    """By what a form of a name is written."""

    LETTERS = "letters"
    CHARACTERS = "characters"
    PINYIN = "pinyin"


@dataclass(frozen=True, slots=True)
class Form:
    """One way to compare a name by: its words; what they make ``squeezed`` together without spaces,
    and ``ordered`` by the alphabet."""

    script: Script
    tokens: tuple[str, ...]
    squeezed: str
    ordered: str

    @classmethod
    def of(cls, script: Script, tokens: tuple[str, ...]) -> "Form":
        """The form with these words."""
        return cls(script, tokens, "".join(tokens), " ".join(sorted(tokens)))

    def rotations(self) -> tuple[str, ...]:
        """The squeezed name with any of its words, up to a maximum, as the first."""
        count = min(len(self.tokens), ROTATIONS_MAX)
        turned = (self.tokens[at:] + self.tokens[:at] for at in range(count))
        last_first = self.tokens[-1:] + self.tokens[:-1]
        return tuple(dict.fromkeys("".join(words) for words in (*turned, last_first)))


LEGAL_FORMS = frozenset({
    "co", "company", "corp", "corporation", "inc", "incorporated", "ltd", "limited", "llc", "llp",
    "plc", "gmbh", "sarl", "srl", "ooo", "oao", "zao", "pao", "jsc", "pjsc", "sdn", "bhd", "pte",
    "pty", "the",
})  # fmt: skip
"""Left out of names. None is a syllable of a Chinese name, as SA, AG and NV may be."""
_CHINESE_LEGAL_FORM = re.compile(r"(股份有限公司|有限责任公司|有限公司|公司)$")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
_NO_LETTER = re.compile(r"[^\w]+|_+")
_APOSTROPHES = re.compile(r"['’‘ʼʿʾ`´]")
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
COMPOUND_SURNAMES = frozenset({
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "长孙", "宇文",
    "司徒", "夏侯", "单于", "端木", "南宫", "独孤", "轩辕", "呼延", "万俟",
})  # fmt: skip
SURNAME_READINGS = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "区": "ou", "任": "ren",
    "朴": "piao", "盖": "ge", "华": "hua", "尹": "yin", "翟": "zhai", "秘": "bi", "覃": "qin",
    "繁": "po", "折": "she", "黑": "he", "员": "yun", "乐": "yue", "召": "shao", "缪": "miao",
    "尉迟": "yuchi", "单于": "chanyu", "长孙": "zhangsun", "令狐": "linghu", "万俟": "moqi",
}  # fmt: skip


def forms(name: str) -> tuple[Form, ...]:
    """Every form of a name; none for one without a letter. A name in two scripts, as lists write
    them side by side, has the forms of both."""
    text = unicodedata.normalize("NFKC", name[:NAME_CHARS_MAX]).casefold()
    han = "".join(_HAN.findall(text))
    found = _chinese(han) if han else ()
    words = _words(_HAN.sub(" ", text))
    return (*found, Form.of(Script.LETTERS, words)) if words else found


def _chinese(han: str) -> tuple[Form, ...]:
    simplified = _to_simplified().convert(han)
    simplified = _CHINESE_LEGAL_FORM.sub("", simplified) or simplified
    surname = simplified[: 2 if simplified[:2] in COMPOUND_SURNAMES else 1]
    usual = "".join(lazy_pinyin(surname))
    given = tuple(_plain_pinyin(word) for word in lazy_pinyin(simplified[len(surname) :]))
    readings = dict.fromkeys((SURNAME_READINGS.get(surname, usual), usual))
    return (
        Form.of(Script.CHARACTERS, (simplified,)),
        *(
            Form.of(Script.PINYIN, (_plain_pinyin(reading), *given)[:TOKENS_MAX])
            for reading in readings
        ),
    )


def _plain_pinyin(word: str) -> str:
    """As passports write it: lü is lyu there and lv on keyboards; both are compared as lu."""
    return word.replace("ü", "u").replace("lv", "lu").replace("nv", "nu")


def _words(text: str) -> tuple[str, ...]:
    bare = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text).translate(_LETTERS))
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    words = [word for word in _NO_LETTER.split(bare) if word]
    kept = [word for word in words if word not in LEGAL_FORMS] or words
    return tuple(_plain_lyu(word) for word in kept[:TOKENS_MAX])


def _plain_lyu(word: str) -> str:
    return {"lyu": "lu", "nyu": "nu", "lv": "lu", "nv": "nu"}.get(word, word)


@cache
def _to_simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
