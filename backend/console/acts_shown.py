"""An act of the log as people read it, pure: its subject, its actor and what it changed, in words.

Rule: a word that the tables do not have is shown as it stands in the log, never left out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from backend.audit.model import ActKind
from backend.console.act_words import ACTORS, FIELDS, NO, ROLES, SUBJECTS, YES
from backend.console.break_words import BREAK_NAMES
from backend.console.case_words import CASE_NAMES
from backend.console.merchant_words import MERCHANT_STATES
from backend.console.operator_words import OPERATOR_NAMES
from backend.console.path_words import ROOMS, STEPS
from backend.console.words import NAMES, STATES
from backend.operator.words import shown_amount
from faces.words import Words

_INWARD = frozenset({"epoch", "setup_until_ms"})
"""What counts for machines; the file has it."""
_API = "/operator/v1/"
_FOR_A_TILL = "device:console-"
_NO_WORDS = Words("", "")


@dataclass(frozen=True, slots=True)
class Named:
    """A word of the tables, the name behind it, and what is asked of that; each may be empty."""

    words: Words
    name: str = ""
    asked: Words = _NO_WORDS


@dataclass(frozen=True, slots=True)
class Change:
    """A field, what stood in it, and what stands in it. ``before`` None: nothing was there."""

    field: Words
    before: Words | None
    after: Words


def subject_of(subject: str) -> Named:
    """``merchant mch_1`` as *merchant* and ``mch_1``; an address of the operator's API as what it
    is about, the names in it and what is asked for."""
    if subject.startswith(_API):
        return _address(subject)
    for kind, words in SUBJECTS.items():  # the longer kind stands before its own beginning
        if subject.startswith(f"{kind} "):
            return Named(words, subject.removeprefix(f"{kind} "))
    return Named(_NO_WORDS, subject)


def _address(subject: str) -> Named:
    room, *rest = subject.removeprefix(_API).split("/")
    if room not in ROOMS:
        return Named(_NO_WORDS, subject)
    asked = [STEPS[part] for part in rest if part in STEPS]
    return Named(
        ROOMS[room],
        "/".join(part for part in rest if part not in STEPS),
        Words(" ".join(one.zh for one in asked), " ".join(one.en for one in asked)),
    )


def actor_of(actor: str) -> Named:
    """``console:li.na`` as *console* and ``li.na``, also where the console stands in for a till."""
    if actor.startswith(_FOR_A_TILL):
        return Named(ACTORS["console"], actor.removeprefix(_FOR_A_TILL))
    kind, _, name = actor.partition(":")
    return Named(ACTORS[kind], name) if kind in ACTORS else Named(_NO_WORDS, actor)


def changes(act: Mapping[str, Any]) -> list[Change]:
    """What people read of a change, field by field."""
    before, after = _values(act["before"]), _values(act["after"])
    currency = f"{after.get('currency', before.get('currency', ''))}"
    shown = partial(_value, kind=act["kind"], currency=currency)
    return [
        Change(
            field=FIELDS.get(name, _same(name)),
            before=shown(name, before[name]) if name in before else None,
            after=shown(name, value),
        )
        for name, value in after.items()
        if before.get(name) != value and value != "" and name not in _INWARD
    ]


def _value(name: str, value: Any, *, kind: str, currency: str) -> Words:  # noqa: ANN401  # whatever JSON has
    text = f"{value}"
    if name.startswith("is_") and value in (0, 1):
        return YES if value else NO
    if name.endswith("_minor") and isinstance(value, int) and currency:
        return _same(shown_amount(value, currency))
    if name == "state":
        return _state(text, kind)
    if name == "outcome":
        return CASE_NAMES.get(f"outcome.{text}", _same(text))
    if name == "category":
        return OPERATOR_NAMES.get(f"stop_{text}", _same(text))
    if name == "rank":
        return OPERATOR_NAMES.get(f"rank_{text}", _same(text))
    if name == "role":
        return ROLES.get(text, _same(text))
    if name == "actor":
        found = actor_of(text)
        return Words(
            f"{found.words.zh} {found.name}".strip(), f"{found.words.en} {found.name}".strip()
        )
    return _same(text)


def _state(text: str, kind: str) -> Words:
    """A break waits for a person, a settlement for its day: one word of the log, several of
    ours."""
    if kind == ActKind.BREAK:
        return BREAK_NAMES.get(f"break.{text}", _same(text))
    if kind == ActKind.CASE:
        return CASE_NAMES.get(f"case.{text}", _same(text))
    shown = (STATES | MERCHANT_STATES).get(text)
    return shown.words if shown else NAMES.get(text, _same(text))


def _same(text: str) -> Words:
    return Words(text, text)


def _values(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:  # cut, because it was long
        return {"…": text}
    return dict(found)
