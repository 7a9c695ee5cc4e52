"""The switch's day file: what its books hold of a day, with the faults of files that are due."""

from datetime import date

from backend.channels.day_file import DayRow
from backend.channels.unionpay_file import ComRow, write_com_file
from backend.sandbox.institution.faults import spoil_rows
from backend.sandbox.unionpay.limits import FEE_MINOR_MAX, FEE_PPM
from backend.sandbox.unionpay.switch import Switch


def day_file(switch: Switch, day: date) -> bytes:
    """The file's bytes."""
    rows = spoil_rows(switch.house.faults, switch.book.rows(day))
    return b"".join(write_com_file(day, (_com_row(switch, row) for row in rows)))


def fee_minor(amount_minor: int) -> int:
    """What the switch charges for a payment: its rate, rounded half up to a fen, to its cap."""
    by_rate = (amount_minor * FEE_PPM * 2 + 1_000_000) // 2_000_000
    return min(by_rate, FEE_MINOR_MAX)


def _com_row(switch: Switch, row: DayRow) -> ComRow:
    told = switch.traces.by_own_id(switch.book.order_of(row.channel_reference) or row.reference)
    minor = row.amount.amount_minor
    fee = fee_minor(minor) if row.kind == "payment" else 0
    if told is None:
        return ComRow(row.kind, row.reference, row.account, minor, fee)
    return ComRow(
        row.kind, row.reference, row.account, minor, fee, told.tid, told.batch, told.stan,
        told.reference,
    )  # fmt: skip
