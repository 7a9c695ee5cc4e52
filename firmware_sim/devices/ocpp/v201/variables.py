"""The device model of OCPP 2.0.1: variables read, set and reported (part 2, B05 to B08).

Rule 1: what can be set is in the settings; what is only seen (availability, the clock, the
firmware) is computed when asked. Rule 2: names are compared without regard to case. Rule 3: only
the attribute ``Actual`` is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firmware_sim.devices.ocpp.settings import Change, Kind, Row
from protocol.framing.ocppj import JsonObject

if TYPE_CHECKING:
    from firmware_sim.devices.ocpp.v201.station import Ocpp201

ACTUAL = "Actual"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: where it is, its text, its row where it is a setting."""

    component: str
    evse: int
    name: str
    instance: str
    value: str
    row: Row

    @property
    def path(self) -> tuple[str, int, str, str]:
        """What it is found by."""
        return _path(self.component, self.evse, self.name, self.instance)

    def place(self) -> JsonObject:
        """Component and variable as the wire has them."""
        component: JsonObject = {"name": self.component}
        if self.evse:
            component["evse"] = {"id": self.evse}
        variable: JsonObject = {"name": self.name}
        if self.instance:
            variable["instance"] = self.instance
        return {"component": component, "variable": variable}


def variables_of(station: "Ocpp201", now_ms: int) -> Iterator[Variable]:
    """Every variable with its text now."""
    for row in station.settings.rows.values():
        component, _, rest = row.key.partition(".")
        name, _, instance = rest.partition("@")
        yield Variable(component, 0, name, instance, station.settings.text(row.key), row)
    yield _seen("ChargingStation", 0, "AvailabilityState", station.station_word())
    yield _seen("ChargingStation", 0, "Available", "true", Kind.FLAG)
    yield _seen("ChargingStation", 0, "Model", station.plate.model)
    yield _seen("ChargingStation", 0, "VendorName", station.plate.vendor)
    yield _seen("ChargingStation", 0, "FirmwareVersion", station.firmware_version)
    yield _seen("ClockCtrlr", 0, "DateTime", station.clock.text(now_ms))
    yield _seen("LocalAuthListCtrlr", 0, "Entries", str(station.book.listed), Kind.WHOLE)
    for outlet in station.outlets.values():
        word, number = station.status_word(outlet), outlet.number
        yield _seen("EVSE", number, "AvailabilityState", word)
        yield _seen("EVSE", number, "Available", "true", Kind.FLAG)
        yield _seen("EVSE", number, "Power", str(outlet.meter.power_w), Kind.WHOLE)
        yield _seen("Connector", number, "AvailabilityState", word)
        yield _seen("Connector", number, "Available", "true", Kind.FLAG)


def _seen(component: str, evse: int, name: str, value: str, kind: Kind = Kind.TEXT) -> Variable:
    row = Row(f"{component}.{name}", value, kind, is_read_only=True)
    return Variable(component, evse, name, "", value, row)


def _path(component: str, evse: int, name: str, instance: str) -> tuple[str, int, str, str]:
    return component.casefold(), evse, name.casefold(), instance.casefold()


def _asked_path(asked: JsonObject) -> tuple[str, int, str, str]:
    component, variable = asked["component"], asked["variable"]
    evse = component.get("evse", {}).get("id", 0)
    return _path(component["name"], evse, variable["name"], variable.get("instance", ""))


def get_variables(station: "Ocpp201", asked: list[JsonObject], now_ms: int) -> list[JsonObject]:
    """A result for each variable asked for, in order."""
    there = {one.path: one for one in variables_of(station, now_ms)}
    return [_got(one, there) for one in asked]


def _got(asked: JsonObject, there: dict[Any, Variable]) -> JsonObject:
    found = there.get(_asked_path(asked))
    result = _echo(asked)
    status = _refusal(asked, there, found)
    if status or found is None:
        return {**result, "attributeStatus": status}
    return {**result, "attributeStatus": "Accepted", "attributeValue": found.value}


def set_variables(station: "Ocpp201", asked: list[JsonObject], now_ms: int) -> list[JsonObject]:
    """Set each variable; a result for each, in order."""
    there = {one.path: one for one in variables_of(station, now_ms)}
    return [{**_echo(one), "attributeStatus": _set(station, one, there, now_ms)} for one in asked]


def _set(station: "Ocpp201", asked: JsonObject, there: dict[Any, Variable], now_ms: int) -> str:
    found = there.get(_asked_path(asked))
    status = _refusal(asked, there, found)
    if status or found is None:
        return status
    change = station.settings.change(found.row.key, asked["attributeValue"])
    if change is Change.ACCEPTED:
        station.setting_changed(found.row.key, now_ms)
        return "Accepted"
    return "RebootRequired" if change is Change.REBOOT else "Rejected"


def _refusal(asked: JsonObject, there: dict[Any, Variable], found: Variable | None) -> str:
    component = _asked_path(asked)[:2]
    if found is None:
        is_known = any(path[:2] == component for path in there)
        return "UnknownVariable" if is_known else "UnknownComponent"
    return "NotSupportedAttributeType" if asked.get("attributeType", ACTUAL) != ACTUAL else ""


def _echo(asked: JsonObject) -> JsonObject:
    kept = {name: asked[name] for name in ("component", "variable")}
    return {**kept, "attributeType": asked.get("attributeType", ACTUAL)}


def report(station: "Ocpp201", base: str, now_ms: int) -> list[JsonObject]:
    """The rows of a base report: all, those that can be set, or those that tell availability."""
    rows = []
    for one in variables_of(station, now_ms):
        is_wanted = {
            "FullInventory": True,
            "ConfigurationInventory": not one.row.is_read_only,
            "SummaryInventory": one.name in {"AvailabilityState", "Available"},
        }[base]
        if is_wanted:
            rows.append(_reported(one))
    return rows


def _reported(one: Variable) -> JsonObject:
    characteristics: JsonObject = {"dataType": one.row.kind.value, "supportsMonitoring": False}
    if one.row.choices:
        characteristics["valuesList"] = ",".join(one.row.choices)
    if one.row.kind is Kind.WHOLE and not one.row.is_read_only:
        characteristics["minLimit"] = one.row.minimum
        characteristics["maxLimit"] = one.row.maximum
    if one.row.unit:
        characteristics["unit"] = one.row.unit
    mutability = "ReadOnly" if one.row.is_read_only else "ReadWrite"
    attribute = {"type": ACTUAL, "value": one.value, "mutability": mutability, "persistent": True}
    return {
        **one.place(),
        "variableAttribute": [attribute],
        "variableCharacteristics": characteristics,
    }
