"""What a tag is, and how a family of them is written once. Pure.

Rule 1: a tag is a category, an entity, a signal, a window and a level. Its condition is a rule's
condition, so that rules, tags and their replay have one language and one meaning.
Rule 2: a family says which signals it looks at and from where on they are noticed; the tags, and
the features that must be computed for them, are made from it, so neither can be without the other.
Rule 3: a tag says what is there. Whether that is bad is for rules, models and people.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from math import inf, nextafter

from backend.risk.features.catalogue import SPANS
from backend.risk.features.definition import Feature, Kind
from backend.risk.tags.words import ENTITIES, LEVELS, SPANS_ZH

Fact = float | str | bool
Levels = tuple[float, float, float]


class Category(StrEnum):
    """The twelve."""

    VELOCITY = "velocity"
    RELATION = "relation"
    CARD_TESTING = "card_testing"
    LAUNDERING = "laundering"
    OPERATION = "operation"
    AMOUNT = "amount"
    PLACE_AND_TIME = "place_and_time"
    IDENTITY = "identity"
    MERCHANT = "merchant"
    CREDIT = "credit"
    TAKEOVER = "takeover"
    DEVICE = "device"


class Source(StrEnum):
    """What a tag is about."""

    PAYMENT = "payment"
    ACCOUNT_DAY = "account_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A name and a condition. ``fires`` are facts that fire it and ``holds`` facts just beside."""

    name: str
    category: Category
    source: Source
    when: str
    reads: tuple[str, ...]
    fires: Mapping[str, Fact]
    holds: Mapping[str, Fact]
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A signal of an entity. ``levels`` says from where on it is noticed, by entity and window
    (empty: it has none).

    ``outcome``: the feature counts what became known of payments, see ``outcomes``.
    ``enough``: the fewest payments of the window that a share is a share of.
    """

    name: str
    kind: Kind
    levels: Callable[[str, str], Levels]
    zh: str
    en: str
    of: str = ""
    outcome: str = ""
    is_at_most: bool = False
    enough: int = 0

    def feature(self, entity: str, span: str) -> Feature:
        """What is computed."""
        return Feature(
            name=f"{entity}.{self.name}_{span}" if span else f"{entity}.{self.name}",
            entity=entity,
            kind=self.kind,
            of=self.of,
            window_s=SPANS[span] if span else 0,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One comparison, with a value that meets it and one that does not."""

    fact: str
    when: str
    fires: Fact
    holds: Fact


def at_least(fact: str, level: float) -> Part:
    """A number from a level up."""
    return Part(fact, f"{fact} >= {level!r}", level, nextafter(level, -inf))


def at_most(fact: str, level: float) -> Part:
    """A number up to a level."""
    return Part(fact, f"{fact} <= {level!r}", level, nextafter(level, inf))


def amount_from(level: int) -> Part:
    """The payment's own amount, in minor units."""
    fact = "payment.amount_minor"
    return Part(fact, f"{fact} >= {level}", level, level - 1)


def first_ever(entity: str) -> tuple[Part, Part]:
    """The entity is there and was never seen before: its age is unknown and its count is none."""
    age, count = f"{entity}.since_first_s", f"{entity}.count_1d"
    return Part(age, f"!has({age})", float("nan"), 1.0), at_most(count, 0.0)


def is_word(fact: str, word: str, other: str) -> Part:
    """A text that is this one."""
    return Part(fact, f"{fact} == '{word}'", word, other)


def is_true(fact: str, *, wanted: bool = True) -> Part:
    """A truth."""
    return Part(fact, f"{fact} == {str(wanted).lower()}", wanted, not wanted)


def tag_of(
    category: Category, name: str, *parts: Part, words: tuple[str, str], source: Source
) -> Tag:
    """All parts together. Its first part is the one that just fails in ``holds``."""
    fires = {part.fact: part.fires for part in parts}
    return Tag(
        name=f"{category}.{name}",
        category=category,
        source=source,
        when=" && ".join(part.when for part in parts),
        reads=tuple(fires),
        fires=fires,
        holds=fires | {parts[0].fact: parts[0].holds},
        zh=words[0],
        en=words[1],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The tags of some entities' measures over some windows, three levels each."""

    category: Category
    entities: tuple[str, ...]
    measures: tuple[Measure, ...]
    spans: tuple[str, ...] = ("",)

    def features(self) -> Iterator[tuple[str, Feature]]:
        """The outcome ("" for none) and the feature of each signal."""
        for entity, measure, span in product(self.entities, self.measures, self.spans):
            yield measure.outcome, measure.feature(entity, span)
            if measure.enough:
                yield "", _count(entity, span)

    def tags(self) -> Iterator[Tag]:
        """The tags."""
        for entity, measure, span in product(self.entities, self.measures, self.spans):
            fact = measure.feature(entity, span).name
            compare = at_most if measure.is_at_most else at_least
            for level, edge in zip(LEVELS, measure.levels(entity, span), strict=True):
                parts = [compare(fact, float(edge))]
                if measure.enough:
                    parts.append(at_least(_count(entity, span).name, float(measure.enough)))
                yield tag_of(
                    self.category,
                    f"{fact}.{level}",
                    *parts,
                    words=_words(entity, measure, span, level),
                    source=Source.PAYMENT,
                )


def _count(entity: str, span: str) -> Feature:
    return Feature(
        name=f"{entity}.count_{span}", entity=entity, kind=Kind.COUNT, window_s=SPANS[span]
    )


def _words(entity: str, measure: Measure, span: str, level: str) -> tuple[str, str]:
    zh_entity, en_entity = ENTITIES[entity]
    zh_level, en_level = LEVELS[level]
    window = f"{SPANS_ZH[span]}内" if span else ""
    within = f" within {span}" if span else ""
    return (
        f"{zh_entity}{window}{measure.zh}：{zh_level}",
        f"{en_entity}: {measure.en}{within}, {en_level}",
    )
