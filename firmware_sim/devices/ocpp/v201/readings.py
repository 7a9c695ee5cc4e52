"""Meter values as OCPP 2.0.1 writes them (``MeterValueType``, ``SampledValueType``)."""

from firmware_sim.devices.ocpp.outlet import Outlet
from protocol.framing.ocppj import JsonObject

VOLTS = 230


def meter_value(
    outlet: Outlet, measurands: list[str], *, context: str, timestamp: str, now_ms: int
) -> JsonObject:
    """One reading of an outlet; ``measurands`` are those of the settings, at least one."""
    flowing_w = outlet.flowing_w()
    known = {
        "Energy.Active.Import.Register": (outlet.meter.read(now_ms), "Wh"),
        "Power.Active.Import": (flowing_w, "W"),
        "Power.Offered": (outlet.offered_w, "W"),
        "Current.Import": (flowing_w // VOLTS, "A"),
        "Voltage": (VOLTS, "V"),
    }
    values = [(name, *known[name]) for name in measurands]
    return {
        "timestamp": timestamp,
        "sampledValue": [
            {"value": value, "context": context, "measurand": name,
             "unitOfMeasure": {"unit": unit}}
            for name, value, unit in values
        ],
    }  # fmt: skip
