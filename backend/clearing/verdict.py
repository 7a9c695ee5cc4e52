"""Whether a run has closed its day, and if not, why not. Pure."""

from collections.abc import Iterator
from typing import Any

from backend.clearing.model import OPEN_STATES

REASONS = (
    "sagas_open", "unheard", "reconciliation", "clients_short_minor", "windows", "payouts",
    "own_moves", "reserve_test",
)  # fmt: skip
"""The keys of a report that may keep its day open."""


def open_because(report: dict[str, Any]) -> list[str]:
    """What keeps the day open, by a run's report; nothing: it is closed. Each begins with the key
    of the report that tells more."""
    return list(_reasons(report))


def _reasons(report: dict[str, Any]) -> Iterator[str]:
    if report["sagas_open"]:
        yield f"sagas_open: {report['sagas_open']} conversations with channels have no end yet"
    for name, why in sorted(report["unheard"].items()):
        yield f"unheard: {name}: {why}"
    if report["reconciliation"]["breaks"]:
        yield f"reconciliation: {report['reconciliation']['breaks']} breaks wait for a person"
    if report["clients_short_minor"]:
        yield f"clients_short_minor: {report['clients_short_minor']} of own money are to come"
    for window in report["windows"]:
        if window["differs_minor"]:
            yield f"windows: {window['channel_id']} says {window['differs_minor']} more than we"
    for key, name in (("payouts", "payout_id"), ("own_moves", "move_id")):
        for row in report[key]:
            if row["state"] in OPEN_STATES:
                yield f"{key}: {row[name]} is {row['state']} at the bank"
    if not report["reserve_test"]["passed"]:
        yield "reserve_test: failed"
