"""What an act is told, as fields that a form can show: read off the act's own record.

Rule 1: the schema of the act's body is the only source, so a new act has its form by itself.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from firmware_sim.kinds.kind import Act

Schema = dict[str, Any]


class Sort(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105  # a sort of field
    NUMBER = "number"
    TRUTH = "truth"
    CHOICE = "choice"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class ActField:
    """One word of an act. A word that is not needed may be left out; ``default`` stands then."""

    name: str
    sort: Sort
    is_needed: bool
    default: JsonValue = None
    low: int | None = None
    high: int | None = None
    chars_max: int | None = None
    choices: tuple[str, ...] = field(default=())


def schema_of(act: Act) -> Schema:
    """The JSON schema of what an act is told."""
    return act.body.model_json_schema()


def fields_of(act: Act) -> tuple[ActField, ...]:
    """The fields of an act's form, in the order of its record."""
    schema = schema_of(act)
    needed = set(schema.get("required", ()))
    return tuple(
        _field(act, name, _resolved(told, schema.get("$defs", {})), is_needed=name in needed)
        for name, told in schema.get("properties", {}).items()
    )


def _field(act: Act, name: str, told: Schema, *, is_needed: bool) -> ActField:
    return ActField(
        name,
        Sort.SECRET if name in act.secret else _sort(told),
        is_needed,
        told.get("default"),
        told.get("minimum"),
        told.get("maximum", _below(told)),
        told.get("maxLength"),
        tuple(told.get("enum", ())),
    )


def _below(told: Schema) -> int | None:
    limit = told.get("exclusiveMaximum")
    return None if limit is None else int(limit) - 1


def _sort(told: Schema) -> Sort:
    if "enum" in told:
        return Sort.CHOICE
    if told.get("contentEncoding") == "base64":
        return Sort.FILE
    return {"integer": Sort.NUMBER, "boolean": Sort.TRUTH}.get(str(told.get("type")), Sort.TEXT)


def _resolved(told: Schema, kinds: Schema) -> Schema:
    """A field's schema without references; of "this or nothing", this."""
    inner: Schema = next((one for one in told.get("anyOf", ()) if one.get("type") != "null"), {})
    merged = {**inner, **{name: value for name, value in told.items() if name != "anyOf"}}
    where = merged.pop("$ref", "").rpartition("/")[2]
    return {**kinds[where], **merged} if where else merged
