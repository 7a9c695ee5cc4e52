"""The switch as a process: a line of ISO 8583 (``iso8583``) beside its HTTP face."""

import secrets

from pydantic import BaseModel, ConfigDict

from backend.sandbox.institution.program import Place, Running
from backend.sandbox.institution.reserve_line import ReserveLine
from backend.sandbox.unionpay.routes import build_app
from backend.sandbox.unionpay.server import Lines
from backend.sandbox.unionpay.switch import OWN_FAULTS, Accounts, Switch
from backend.sandbox.unionpay.terminals import KEY_BYTES, known_terminal

LINE = "iso8583"


class Options(BaseModel):
    """What may be set of the switch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tid: str = "10000001"
    mid: str = "898310000000001"
    settlement_account: str = Accounts().settlement
    reserve_account: str = Accounts().reserve


def build(place: Place) -> Running:
    """The switch in its place. Its terminal's master key is made at the first start."""
    options = Options.model_validate(dict(place.options))
    house = place.furnish(faults=OWN_FAULTS)
    terminal = known_terminal(place.directory, tid=options.tid, mid=options.mid)
    switch = Switch(
        house,
        terminals={terminal.tid: terminal},
        new_key=lambda: secrets.token_bytes(KEY_BYTES),
        accounts=Accounts(options.settlement_account, options.reserve_account),
    )

    reserve_bank, lines = ReserveLine(place), Lines(switch)

    async def time_passes() -> None:
        switch.close_days()
        await switch.outbox.tell(reserve_bank)

    async def close() -> None:
        await lines.close()
        await reserve_bank.close()

    house.time_passes = time_passes
    return Running(house=house, app=build_app(switch), lines={LINE: lines.serve}, close=close)
