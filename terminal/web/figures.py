"""The figures of X and Z as rows of text, in the order they are read."""

from faces.words import Language, said
from protocol.money import Money
from terminal.domain.shift import Report, Tally
from terminal.web.words import MARKS, METHODS, REFUND_MARKS, WORDS

Row = tuple[str, str] | tuple[str, str, str]
_TOTAL = "total"


def sold_rows(report: Report, language: Language) -> list[Row]:
    """What went through: by way, refunds, net."""
    rows: list[Row] = [
        _tally(said(METHODS[name], language) if name in METHODS else name, tally, report)
        for name, tally in report.by_method.items()
    ]
    rows += [
        _tally(said(WORDS[kind.value], language), tally, report)
        for kind, tally in report.cash.items()
    ]
    rows += [
        _tally(said(WORDS[kind.value], language), tally, report)
        for kind, tally in report.cards.items()
    ]
    rows.append(_tally(said(WORDS["refunds"], language), report.refunds, report))
    rows.append((said(WORDS["net"], language), _money(report.net_minor, report), _TOTAL))
    if report.unknown.count:
        rows.append(_tally(said(WORDS["unknown_count"], language), report.unknown, report))
    if report.offline.count:
        rows.append(_tally(said(WORDS["offline_held"], language), report.offline, report))
    rows += [
        _tally(said(MARKS[marked_as], language).capitalize(), tally, report)
        for marked_as, tally in report.marked.items()
    ]
    rows += [
        _tally(said(REFUND_MARKS[marked_as], language).capitalize(), tally, report)
        for marked_as, tally in report.marked_refunds.items()
    ]
    if report.contradicted.count:
        rows.append(
            _tally(said(WORDS["contradicted_count"], language), report.contradicted, report)
        )
    return rows


def drawer_rows(report: Report, language: Language) -> list[Row]:
    """Float, and after the count what was expected, counted, and the difference."""
    shift = report.shift
    rows: list[Row] = [(said(WORDS["float"], language), _money(shift.float_minor, report))]
    if shift.counted_minor is not None and report.difference_minor is not None:
        rows += [
            (said(WORDS["expected"], language), _money(report.expected_minor, report)),
            (said(WORDS["counted"], language), _money(shift.counted_minor, report)),
            (said(WORDS["difference"], language), _money(report.difference_minor, report), _TOTAL),
            (said(WORDS["reason"], language), shift.reason or ""),
            (said(WORDS["closed_by"], language), shift.closed_by or ""),
            (said(WORDS["signed_by"], language), shift.approved_by or ""),
        ]
    return rows


def _tally(label: str, tally: Tally, report: Report) -> Row:
    return (f"{label} ×{tally.count}", _money(tally.minor, report))


def _money(minor: int, report: Report) -> str:
    return Money(minor, report.currency).decimal()
