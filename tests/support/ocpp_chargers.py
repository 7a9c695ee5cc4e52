"""Chargers of both versions with a central system, ready to be told what to do.

``central_16`` and ``central_201`` make one that is not booted, ``charging_16`` and
``charging_201`` one with a transaction at outlet 1.
"""

from datetime import UTC, datetime

from firmware_sim.devices.ocpp.charging import Make
from firmware_sim.devices.ocpp.firmware import FirmwareFile
from firmware_sim.devices.ocpp.station import NamePlate
from firmware_sim.devices.ocpp.v16.station import Ocpp16
from firmware_sim.devices.ocpp.v201.station import Ocpp201
from firmware_sim.devices.ocpp.wall_clock import WallClock
from tests.support.ocpp_central import TIME, Answers, Central

ACCEPTED_16 = {"idTagInfo": {"status": "Accepted"}}
FILES_16 = {
    "https://files/good.bin": FirmwareFile("2.0"),
    "https://files/bad.bin": FirmwareFile("2.0", "install"),
}


def central_16(
    answers: Answers | None = None, *, seed: bytes = b"seed", outlets: int = 2
) -> Central:
    clock = WallClock(datetime(2026, 1, 1, tzinfo=UTC))
    plate = NamePlate("Tillway", "AC22", "S1", "1.0")
    station = Ocpp16(
        Make(
            plate,
            clock,
            seed,
            outlets,
            files=dict(FILES_16),
            upload_addresses=frozenset({"ftp://logs/here"}),
        )
    )
    return Central(station, "1.6", {
        "BootNotification": lambda _: {"status": "Accepted", "currentTime": TIME, "interval": 300},
        "Heartbeat": lambda _: {"currentTime": TIME},
        "Authorize": lambda _: ACCEPTED_16,
        "StartTransaction": lambda _: {**ACCEPTED_16, "transactionId": 77},
        **(answers or {}),
    })  # fmt: skip


def charging_16(answers: Answers | None = None) -> Central:
    """A central system with a transaction at outlet 1."""
    told = central_16(answers).boot()
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    told.hear(told.station.tap("CARD1", None, told.now_ms))
    return told


def states_16(told: Central, connector: int = 1) -> list[str]:
    return [
        payload["status"]
        for payload in told.all("StatusNotification")
        if payload["connectorId"] == connector
    ]


ACCEPTED_201 = {"idTokenInfo": {"status": "Accepted"}}
CARD_201 = {"idToken": "CARD1", "type": "ISO14443"}
FILES_201 = {
    "https://files/good.bin": FirmwareFile("2.0"),
    "https://files/forged.bin": FirmwareFile("2.0", "signature"),
}


def central_201(answers: Answers | None = None, **settings: str) -> Central:
    clock = WallClock(datetime(2026, 1, 1, tzinfo=UTC))
    plate = NamePlate("Tillway", "AC22", "S1", "1.0")
    station = Ocpp201(
        Make(
            plate,
            clock,
            b"seed",
            2,
            files=dict(FILES_201),
            upload_addresses=frozenset({"ftp://logs/here"}),
        )
    )
    for key, value in settings.items():
        station.settings.put(key.replace("__", "."), value)
    return Central(station, "2.0.1", {
        "BootNotification": lambda _: {"status": "Accepted", "currentTime": TIME, "interval": 300},
        "Heartbeat": lambda _: {"currentTime": TIME},
        "Authorize": lambda _: ACCEPTED_201,
        "TransactionEvent": lambda said: ACCEPTED_201 if "idToken" in said else {},
        **(answers or {}),
    })  # fmt: skip


def charging_201(answers: Answers | None = None, **settings: str) -> Central:
    """A central system with a transaction at EVSE 1."""
    told = central_201(answers, **settings).boot()
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    told.hear(told.station.tap("CARD1", None, told.now_ms))
    return told


def events_201(told: Central) -> list[tuple[str, str, str]]:
    return [
        (one["eventType"], one["triggerReason"], one["transactionInfo"]["chargingState"])
        for one in told.all("TransactionEvent")
    ]


def states_201(told: Central, evse: int = 1) -> list[str]:
    said = told.all("StatusNotification")
    return [one["connectorStatus"] for one in said if one["evseId"] == evse]
