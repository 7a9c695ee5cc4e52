"""Meter values as OCPP 1.6 writes them (§4.7, §7.33, §7.43)."""

from typing import Protocol

from firmware_sim.devices.ocpp.limits import COURSE_READINGS_MAX
from firmware_sim.devices.ocpp.outbox import Letter, Outbox, Part
from firmware_sim.devices.ocpp.outlet import Outlet
from firmware_sim.devices.ocpp.settings import Settings
from firmware_sim.devices.ocpp.wall_clock import WallClock
from protocol.framing.ocppj import JsonObject

VOLTS = 230


class Host(Protocol):
    """What of the station the meter values need."""

    settings: Settings
    clock: WallClock
    outbox: Outbox


class Metering:
    """The readings of one charge point."""

    def __init__(self, station: Host) -> None:
        self._station = station
        self._courses: dict[int, list[JsonObject]] = {}

    def sample(self, outlet: Outlet, now_ms: int) -> None:
        """A periodic reading: a message of its own, and a line of the end's course."""
        self._post(outlet, "MeterValuesSampledData", "Sample.Periodic", now_ms)
        self._keep(outlet, "StopTxnSampledData", "Sample.Periodic", now_ms)

    def align(self, outlet: Outlet, now_ms: int) -> None:
        """A reading at the clock's full interval."""
        self._post(outlet, "MeterValuesAlignedData", "Sample.Clock", now_ms)
        self._keep(outlet, "StopTxnAlignedData", "Sample.Clock", now_ms)

    def take_course(self, outlet: Outlet) -> list[JsonObject]:
        """What the end of a transaction tells of its course."""
        return self._courses.pop(outlet.number, [])

    def forget(self) -> None:
        """Power was gone: the courses were in memory."""
        self._courses.clear()

    def triggered(self, outlet: Outlet, now_ms: int) -> JsonObject:
        """The payload that a ``TriggerMessage`` asks for; the id is the caller's to add."""
        measurands = self._station.settings.members("MeterValuesSampledData")
        value = self.reading(outlet, measurands or [ENERGY], "Trigger", now_ms)
        return {"connectorId": outlet.number, "meterValue": [value]}

    def reading(
        self, outlet: Outlet, measurands: list[str], context: str, now_ms: int
    ) -> JsonObject:
        """One reading of an outlet; ``measurands`` are those of the settings."""
        flowing_w = outlet.flowing_w()
        known = {
            ENERGY: (outlet.meter.read(now_ms), "Wh"),
            "Power.Active.Import": (flowing_w, "W"),
            "Power.Offered": (outlet.offered_w, "W"),
            "Current.Import": (flowing_w // VOLTS, "A"),
            "Voltage": (VOLTS, "V"),
        }
        values = [(name, *known[name]) for name in measurands]
        return {
            "timestamp": self._station.clock.text(now_ms),
            "sampledValue": [
                {"value": str(value), "context": context, "measurand": name, "unit": unit}
                for name, value, unit in values
            ],
        }

    def _post(self, outlet: Outlet, key: str, context: str, now_ms: int) -> None:
        measurands, transaction = self._station.settings.members(key), outlet.transaction
        if measurands and transaction is not None:
            value = self.reading(outlet, measurands, context, now_ms)
            payload = {"connectorId": outlet.number, "meterValue": [value]}
            letter = Letter("MeterValues", payload, transaction.number, Part.BETWEEN)
            self._station.outbox.put(letter)

    def _keep(self, outlet: Outlet, key: str, context: str, now_ms: int) -> None:
        measurands = self._station.settings.members(key)
        course = self._courses.setdefault(outlet.number, [])
        if measurands and outlet.transaction and len(course) < COURSE_READINGS_MAX:
            course.append(self.reading(outlet, measurands, context, now_ms))


ENERGY = "Energy.Active.Import.Register"
