"""What a payload may look like, checked before anything is done with it.

Rule 1: a shape knows every field it may hold; an unknown one is refused (the published JSON
schemas say ``additionalProperties: false``), but 2.0.1's ``customData`` may stand anywhere.
Rule 2: the first thing wrong is reported by the kind of rule that it breaks, so that the station
can name the CALLERROR code of its version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from firmware_sim.devices.ocpp.wall_clock import as_moment

_NAME_CHARS_MAX = 40


class Broken(Enum):
    """The kinds of rule a payload can break."""

    FORM = "form"
    TYPE = "type"
    OCCURRENCE = "occurrence"
    PROPERTY = "property"


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong and where."""

    broken: Broken
    where: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text of at most so many characters, or one of the choices."""

    chars_max: int = 0
    choices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number; ``true`` is none."""

    minimum: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number, whole or not."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A truth value."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of RFC 3339."""


@dataclass(frozen=True, slots=True)
class Anything:
    """What the standard leaves open (``DataTransfer.data``)."""


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    of: "Rule"
    at_least: int = 0
    at_most: int = 1000


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: fields that must be there and fields that may."""

    required: Mapping[str, "Rule"] = field(default_factory=dict)
    optional: Mapping[str, "Rule"] = field(default_factory=dict)


Rule = Text | Whole | Number | Flag | Moment | Anything | Many | Shape


def one_of(*choices: str) -> Text:
    """A text that is one of these."""
    return Text(choices=frozenset(choices))


def violation(value: object, rule: Rule, where: str = "payload") -> Violation | None:
    """The first thing wrong with a value, or ``None``."""
    match rule:
        case Shape():
            return _object_violation(value, rule, where)
        case Many():
            return _list_violation(value, rule, where)
        case Text():
            return _text_violation(value, rule, where)
        case Whole(minimum):
            if not isinstance(value, int) or isinstance(value, bool):
                return Violation(Broken.TYPE, where)
            is_low = minimum is not None and value < minimum
            return Violation(Broken.PROPERTY, where) if is_low or abs(value) >= 2**63 else None
        case Number():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return None if is_number else Violation(Broken.TYPE, where)
        case Flag():
            return None if isinstance(value, bool) else Violation(Broken.TYPE, where)
        case Moment():
            if not isinstance(value, str):
                return Violation(Broken.TYPE, where)
            return None if as_moment(value) else Violation(Broken.PROPERTY, where)
    return None


def _object_violation(value: object, rule: Shape, where: str) -> Violation | None:
    if not isinstance(value, dict):
        return Violation(Broken.TYPE, where)
    for name in rule.required:
        if name not in value:
            return Violation(Broken.OCCURRENCE, f"{where}.{name}")
    for name, part in value.items():
        inner = rule.required.get(name) or rule.optional.get(name)
        if inner is not None:
            found = violation(part, inner, f"{where}.{name}")
            if found:
                return found
        elif name != "customData":
            return Violation(Broken.FORM, f"{where}.{name[:_NAME_CHARS_MAX]}")
    return None


def _list_violation(value: object, rule: Many, where: str) -> Violation | None:
    if not isinstance(value, list):
        return Violation(Broken.TYPE, where)
    if not rule.at_least <= len(value) <= rule.at_most:
        return Violation(Broken.OCCURRENCE, where)
    found = (violation(part, rule.of, f"{where}.{index}") for index, part in enumerate(value))
    return next(filter(None, found), None)


def _text_violation(value: object, rule: Text, where: str) -> Violation | None:
    if not isinstance(value, str):
        return Violation(Broken.TYPE, where)
    if rule.choices and value not in rule.choices:
        return Violation(Broken.PROPERTY, where)
    is_long = rule.chars_max and len(value) > rule.chars_max
    return Violation(Broken.PROPERTY, where) if is_long else None
