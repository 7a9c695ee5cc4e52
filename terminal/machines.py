"""The machine that a terminal serves, by its profile: built of the settings."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from terminal import metering, parking, vending
from terminal.adapters.dispenser import RecordingDispenser
from terminal.adapters.mdb_cashless import MdbCashless
from terminal.adapters.modbus_gate import ModbusGate
from terminal.adapters.paymeter import ModbusPayMeter
from terminal.config import Settings
from terminal.domain.parking import Tariff
from terminal.limits import METER_SALE_S
from terminal.machine_sales import WishesOf
from terminal.ports import Dispenser, SelectionSource
from terminal.profile import Profile


@dataclass(frozen=True, slots=True)
class Machine:
    """``source`` None: people select on the terminal's page only."""

    dispenser: Dispenser
    source: SelectionSource | None
    wishes_of: WishesOf
    sale_s: float | None = None
    """How long a selection may wait for its payment, where that is not the usual time."""


def machine_of(settings: Settings, profile: Profile, stack: AsyncExitStack) -> Machine | None:
    """The machine; None for a till. ``stack`` lets go of its port."""
    if settings.profile == "vending":
        return _vending(settings, profile, stack)
    if settings.profile == "parking":
        return _parking(settings, profile, stack)
    if settings.profile == "meter":
        return _meter(settings, profile, stack)
    return None


def _vending(settings: Settings, profile: Profile, stack: AsyncExitStack) -> Machine:
    """The machine on the vending bus, which both asks for sales and gives out their goods; without
    one, what is sold on the page is written down."""
    wishes_of = partial(vending.wishes_of, profile)
    port, section = settings.devices.mdb, settings.vending
    if port is None or section is None:
        return Machine(RecordingDispenser(), None, wishes_of)
    columns = {item.column: item.item for item in section.items if item.column is not None}
    machine = MdbCashless(port, columns, currency=settings.merchant.currency)
    stack.push_async_callback(machine.aclose)
    return Machine(machine, machine, wishes_of)


def _parking(settings: Settings, profile: Profile, stack: AsyncExitStack) -> Machine:
    section, devices = settings.parking, settings.devices
    assert section is not None, "checked with the settings"
    assert devices.gate is not None, "checked with the settings"
    gate = ModbusGate(devices.gate, unit=devices.gate_unit, baud=devices.gate_baud)
    stack.push_async_callback(gate.aclose)
    tariff = Tariff(section.per_minute_minor, section.free_minutes, section.day_minor_max)
    lane = parking.ParkingExit(gate, tariff)
    return Machine(lane, lane, partial(parking.wishes_of, profile, tariff, section.mandates))


def _meter(settings: Settings, profile: Profile, stack: AsyncExitStack) -> Machine:
    section, devices = settings.meter, settings.devices
    assert section is not None, "checked with the settings"
    assert devices.paymeter is not None, "checked with the settings"
    meter = ModbusPayMeter(devices.paymeter, unit=devices.paymeter_unit, baud=devices.paymeter_baud)
    stack.push_async_callback(meter.aclose)
    top = metering.MeterTop(
        meter,
        settings.meter_key(),
        days=section.days,
        price_minor=section.per_day_minor,
        below_minutes=section.below_minutes,
    )
    wishes_of = partial(metering.wishes_of, profile, section.per_day_minor)
    return Machine(top, top, wishes_of, METER_SALE_S)
