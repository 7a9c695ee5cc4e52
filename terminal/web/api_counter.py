"""The control API beside payments: who is there, what is keyed in, the drawer and its shifts,
training, and what the machine can be asked about itself.
"""

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse

from protocol.errors import CallerError, OperatingError
from terminal import logs
from terminal.counter.diagnostics import Diagnostics
from terminal.counter.shifts import Slip
from terminal.counter.station import Station
from terminal.domain.at_counter import cash_due, of_cash
from terminal.domain.sale import COLLECTING_STATES, Sale, SaleState
from terminal.domain.shift import CashKind
from terminal.inputs import Cancel, Dismiss, PrintStored
from terminal.web.api import do, do_print
from terminal.web.gate import Actor, Gate
from terminal.web.schemas import (
    CashIn,
    CounterRefundIn,
    DraftIn,
    GivenIn,
    GoodsIn,
    MovementIn,
    ShiftCloseIn,
    ShiftOpenIn,
    SignInIn,
    TrainingIn,
    draft_out,
    movement_out,
    report_out,
)

Told = dict[str, Any]


def router(gate: Gate, diagnostics: Diagnostics) -> APIRouter:
    """The API of one terminal's counter."""
    api = APIRouter(prefix="/api")
    _sessions(api, gate)
    _keypad(api, gate)
    _cash(api, gate)
    _shifts(api, gate)
    _itself(api, gate, diagnostics)
    return api


def _sessions(api: APIRouter, gate: Gate) -> None:
    sign_in = gate.counter.sign_in
    may_sign_in = [Depends(gate.page)]

    @api.get("/session", dependencies=[Depends(gate.look)])
    async def session() -> Told:
        found, staff = sign_in.session(), sign_in.signed_in()
        return {
            "staff_id": staff.staff_id if staff else None,
            "name": staff.name if staff else None,
            "is_locked": found.is_locked if found else False,
            "is_training": found.is_training if found else False,
        }

    @api.post("/session", dependencies=may_sign_in)
    async def begin(who: SignInIn) -> Told:
        staff = await sign_in.sign_in(who.staff_id, who.pin, new_pin=who.new_pin)
        gate.counter.tell_payers_side()
        return {"staff_id": staff.staff_id, "name": staff.name}

    @api.post("/session/lock", dependencies=may_sign_in)
    async def lock() -> Told:
        sign_in.lock()
        return {}

    @api.post("/session/touch")
    async def touch(by: Annotated[Actor, Depends(gate.act)]) -> Told:
        return {"name": by.name}

    @api.post("/session/end")
    async def end(by: Annotated[Actor, Depends(gate.act)]) -> Told:
        """Sign out; ``staff_spool`` while payments are open."""
        if not by.station.is_training and by.station.agent.unknown_sales():
            raise CallerError("staff_spool")
        sign_in.sign_out()
        gate.counter.tell_payers_side()
        return {}

    @api.post("/training")
    async def train(wanted: TrainingIn, by: Annotated[Actor, Depends(gate.act)]) -> Told:
        """Begin or end training; ``sale_unfinished`` in the middle of a sale. What is over, or goes
        on behind, leaves the screen."""
        try:
            await do(by.station, Dismiss())
        except CallerError as refused:
            raise CallerError("sale_unfinished", refused.detail) from refused
        sign_in.train(is_training=wanted.is_training)
        gate.counter.tell_payers_side()
        return {"is_training": wanted.is_training}


def _keypad(api: APIRouter, gate: Gate) -> None:
    @api.post("/draft")
    async def key(draft: DraftIn, by: Annotated[Actor, Depends(gate.act)]) -> Told:
        by.station.drafts.key(draft.draft_id, digits=draft.digits, note=draft.note)
        by.station.shell.leave_counter()
        return {}

    @api.post("/draft/given")
    async def give(notes: GivenIn, by: Annotated[Actor, Depends(gate.act)]) -> Told:
        """The notes as they are keyed, while cash is due."""
        by.station.drafts.give(notes.draft_id, notes.digits)
        return {}

    @api.get("/draft")
    async def keyed(at: Annotated[Station, Depends(gate.look_back)]) -> Told:
        return draft_out(at.drafts.current())

    @api.post("/draft/goods")
    async def change(wanted: GoodsIn, by: Annotated[Actor, Depends(gate.act)]) -> Told:
        """``goods_unknown`` for a barcode that the till's configuration does not name."""
        good = by.station.agent.profile.goods.get(wanted.code)
        if good is None:
            raise CallerError("goods_unknown")
        draft = by.station.drafts.change(wanted.draft_id, good, wanted.step)
        by.station.shell.leave_counter()
        return draft_out(draft)


def _cash(api: APIRouter, gate: Gate) -> None:
    acting = Depends(gate.act)

    @api.post("/sales/current/cash")
    async def choose(by: Annotated[Actor, acting]) -> Told:
        """The amount on the screen is paid in cash: the payer is told how much."""
        shown = by.station.agent.current()
        if not isinstance(shown, Sale) or shown.state is not SaleState.CHOOSING:
            raise CallerError("payment_state", "no amount is on the screen")
        await do(by.station, Cancel())
        by.station.drafts.take_cash(is_due=True)
        by.station.shell.show_at_counter(cash_due(shown.amount_minor, shown.currency))
        return draft_out(by.station.drafts.current())

    @api.post("/counter/leave")
    async def leave(by: Annotated[Actor, acting]) -> Told:
        """The payer has gone, or pays otherwise: the payer's side greets the next one."""
        by.station.drafts.take_cash(is_due=False)
        by.station.shell.leave_counter()
        return {}

    @api.post("/cash")
    async def sell(sale: CashIn, by: Annotated[Actor, acting]) -> Told:
        shown = by.station.agent.current()
        if isinstance(shown, Sale) and shown.state in COLLECTING_STATES:
            await do(by.station, Cancel())
        movement, slip = by.station.shifts.sell(
            draft_id=sale.draft_id,
            amount_minor=sale.amount_minor,
            tendered_minor=sale.amount_minor
            if sale.tendered_minor is None
            else sale.tendered_minor,
            note=sale.note,
            by_name=by.name,
        )
        if slip is not None:
            await _print(by.station, slip)
        by.station.shell.show_at_counter(of_cash(movement))
        return movement_out(movement)

    @api.get("/cash/{movement_id}")
    async def sold(movement_id: int, at: Annotated[Station, Depends(gate.look_back)]) -> Told:
        return movement_out(at.shifts.cash_sale(movement_id))

    @api.post("/cash/{movement_id}/refund")
    async def give_back(
        movement_id: int, wanted: CounterRefundIn, by: Annotated[Actor, acting]
    ) -> Told:
        approved_by = await gate.approval(by, wanted.approval)
        movement, slip = by.station.shifts.give_back(
            movement_id,
            refund_id=wanted.refund_id,
            amount_minor=wanted.amount_minor,
            reason=wanted.reason,
            by_name=by.name,
            approved_by=approved_by,
        )
        if slip is not None:
            await _print(by.station, slip)
        by.station.shell.show_at_counter(of_cash(movement))
        return movement_out(movement)


def _shifts(api: APIRouter, gate: Gate) -> None:
    acting = Depends(gate.act)

    @api.get("/shift")
    async def report(at: Annotated[Station, Depends(gate.look_back)]) -> Told:
        """X as JSON; ``shift_needed`` while none is open."""
        return report_out(at.shifts.report())

    @api.post("/shift/open")
    async def begin(wanted: ShiftOpenIn, by: Annotated[Actor, acting]) -> Told:
        by.station.shifts.open(by_name=by.name, float_minor=wanted.float_minor)
        return report_out(by.station.shifts.report())

    @api.post("/shift/x")
    async def print_x(by: Annotated[Actor, acting]) -> Told:
        """X on paper; the printer's code where it prints nothing."""
        slip = by.station.shifts.print_x()
        told = await do_print(by.station, PrintStored(slip), slip)
        return report_out(by.station.shifts.report()) | {"print": told["print"]}

    @api.post("/shift/move")
    async def move(wanted: MovementIn, by: Annotated[Actor, acting]) -> Told:
        kind = CashKind(wanted.kind)
        needs_signature = kind is CashKind.PAY_OUT or wanted.approval is not None
        slip = by.station.shifts.move(
            kind,
            amount_minor=wanted.amount_minor,
            reason=wanted.reason,
            by_name=by.name,
            approved_by=await gate.approval(by, wanted.approval) if needs_signature else None,
        )
        await _print(by.station, slip)
        return report_out(by.station.shifts.report())

    @api.post("/shift/close")
    async def close(wanted: ShiftCloseIn, by: Annotated[Actor, acting]) -> Told:
        signed = wanted.approval
        report, slip = by.station.shifts.close(
            by_name=by.name,
            counted_minor=wanted.counted_minor,
            reason=wanted.reason,
            approved_by=await gate.approval(by, signed) if signed is not None else None,
        )
        await _print(by.station, slip)
        return report_out(report)


async def _print(station: Station, slip: Slip) -> None:
    """Print what has happened already: that the slip must wait is no refusal of it. It stays
    queued, and is printed at the next start."""
    with suppress(OperatingError):
        await do(station, PrintStored(slip))


def _itself(api: APIRouter, gate: Gate, diagnostics: Diagnostics) -> None:
    @api.post("/tests/{what}", dependencies=[Depends(gate.act)])
    async def test(what: str) -> Told:
        """Ask ``printer``, ``scanner``, ``pinpad`` or ``link`` how it is."""
        return await diagnostics.run(what)

    @api.get("/log", dependencies=[Depends(gate.look_back)])
    async def log() -> Response:
        """The last lines of the log: events with keys; no code, key or PIN stands in it."""
        return PlainTextResponse("\n".join([*logs.kept(), ""]))
