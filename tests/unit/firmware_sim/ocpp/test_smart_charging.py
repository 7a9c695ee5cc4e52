"""Smart charging: which profile rules when, and what the two versions say of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firmware_sim.devices.ocpp.charging_profiles import (
    Charge,
    ChargingProfiles,
    Profile,
    Purpose,
    bound_to,
    read_profile,
)
from firmware_sim.devices.ocpp.limits import PROFILES_MAX
from tests.support import ocpp_chargers as chargers

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CHARGE = Charge(1, 7, NOON)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def profile(
    number: int,
    purpose: Purpose,
    *periods: tuple[int, float],
    stack: int = 0,
    outlet: int = 0,
    transaction: int | None = None,
    unit: str = "W",
    **more: Any,
) -> Profile:
    schedule: dict[str, Any] = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [
            {"startPeriod": start, "limit": limit} for start, limit in periods
        ],
        **{name: more.pop(name) for name in ("duration", "startSchedule") if name in more},
    }
    payload = {"stackLevel": stack, "chargingProfileKind": "Relative", **more}
    found = read_profile(payload, schedule, number, purpose)
    assert found is not None
    return bound_to(found, outlet, transaction)


def rules(*profiles: Profile) -> ChargingProfiles:
    book = ChargingProfiles()
    assert all(book.put(one) for one in profiles)
    return book


def test_without_a_profile_there_is_no_limit() -> None:
    limit = rules().limit(CHARGE, NOON)
    assert (limit.watts, limit.changes_at) == (None, None)


def test_a_relative_schedule_steps_from_the_transaction_s_begin_and_ends() -> None:
    book = rules(profile(1, Purpose.TX_DEFAULT, (0, 7000), (3600, 3000), duration=7200))
    assert (book.limit(CHARGE, NOON).watts, book.limit(CHARGE, NOON).changes_at) == (7000, at(1))
    assert book.limit(CHARGE, at(1)).watts == 3000
    assert book.limit(CHARGE, at(2)).watts is None


def test_amperes_are_of_the_phases_named() -> None:
    book = rules(profile(1, Purpose.TX_DEFAULT, (0, 16), unit="A"))
    assert book.limit(CHARGE, NOON).watts == 16 * 230 * 3


def test_a_higher_level_rules_while_it_is_active_and_the_lower_one_else() -> None:
    book = rules(
        profile(1, Purpose.TX_DEFAULT, (0, 7000)),
        profile(2, Purpose.TX_DEFAULT, (0, 1000), stack=3, duration=600),
    )
    assert book.limit(CHARGE, NOON).watts == 1000
    assert book.limit(CHARGE, NOON).changes_at == at(1 / 6)
    assert book.limit(CHARGE, at(1)).watts == 7000


def test_a_transaction_s_own_profile_goes_before_the_default_and_ends_with_it() -> None:
    book = rules(
        profile(1, Purpose.TX_DEFAULT, (0, 7000)),
        profile(2, Purpose.TX, (0, 9000), outlet=1, transaction=7),
    )
    assert book.limit(CHARGE, NOON).watts == 9000
    assert book.limit(Charge(1, 8, NOON), NOON).watts == 7000
    book.keep_running({8})
    assert set(book.profiles) == {1}


def test_an_outlet_s_default_goes_before_the_station_s() -> None:
    book = rules(
        profile(1, Purpose.TX_DEFAULT, (0, 7000), stack=5),
        profile(2, Purpose.TX_DEFAULT, (0, 2000), outlet=1),
    )
    assert book.limit(CHARGE, NOON).watts == 2000
    assert book.limit(Charge(2, 9, NOON), NOON).watts == 7000


def test_the_station_s_maximum_is_shared() -> None:
    most = profile(
        1, Purpose.STATION_MAX, (0, 10_000),
        chargingProfileKind="Absolute", startSchedule="2026-01-01T00:00:00Z",
    )  # fmt: skip
    book = rules(most, profile(2, Purpose.TX_DEFAULT, (0, 7000)))
    assert book.limit(CHARGE, NOON, shares=1).watts == 7000
    assert book.limit(CHARGE, NOON, shares=2).watts == 5000


def test_a_daily_schedule_comes_again_and_validity_bounds_it() -> None:
    book = rules(profile(
        1, Purpose.TX_DEFAULT, (0, 3000), (3600, 9000), duration=7200,
        chargingProfileKind="Recurring", recurrencyKind="Daily",
        startSchedule="2026-05-01T12:00:00Z", validTo="2026-05-06T12:30:00Z",
    ))  # fmt: skip
    assert [book.limit(CHARGE, at(hours)).watts for hours in (0, 1.5, 3, 24, 48, 48.6)] == [
        3000, 9000, None, 3000, 3000, None,
    ]  # fmt: skip
    assert book.limit(CHARGE, at(3)).changes_at == at(24)


def test_the_composite_schedule_is_the_limits_one_after_the_other() -> None:
    book = rules(profile(1, Purpose.TX_DEFAULT, (0, 30_000), (600, 0), (1200, 5000), duration=1800))
    assert book.composite(CHARGE, NOON, 3600, 22_000) == [
        (0, 22_000), (600, 0), (1200, 5000), (1800, 22_000),
    ]  # fmt: skip
    assert book.composite(CHARGE, NOON, 700, 22_000) == [(0, 22_000), (600, 0)]


def test_profiles_are_bounded_and_replaced_by_number_or_place() -> None:
    book = ChargingProfiles()
    for number in range(PROFILES_MAX):
        assert book.put(profile(number, Purpose.TX_DEFAULT, (0, 1), outlet=number))
    assert not book.put(profile(99, Purpose.TX_DEFAULT, (0, 1), outlet=99))
    assert book.put(profile(99, Purpose.TX_DEFAULT, (0, 1), outlet=3))
    assert 3 not in book.profiles


@pytest.mark.parametrize(
    ("kind", "schedule"),
    [
        ("Recurring", {}),
        ("Relative", {"chargingSchedulePeriod": [{"startPeriod": 5, "limit": 1}]}),
        ("Relative", {"chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 1}, {"startPeriod": 0, "limit": 2},
        ]}),
        ("Relative", {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": -1}]}),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_no_profile(kind: str, schedule: dict[str, Any]) -> None:
    whole = {
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}],
        **schedule,
    }
    payload = {"stackLevel": 0, "chargingProfileKind": kind}
    assert read_profile(payload, whole, 1, Purpose.TX_DEFAULT) is None


def profile_16(purpose: str, *periods: tuple[int, float], **more: Any) -> dict[str, Any]:
    return {
        "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative", **more,
        "chargingSchedule": {
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [
                {"startPeriod": start, "limit": limit} for start, limit in periods
            ],
        },
    }  # fmt: skip


def test_in_1_6_a_limit_of_a_transaction_bounds_what_flows() -> None:
    told = chargers.charging_16()
    own = profile_16("TxProfile", (0, 0), (1800, 4000), transactionId=77)
    put = {"connectorId": 1, "csChargingProfiles": own}
    assert told.ask("SetChargingProfile", **put)["status"] == "Accepted"
    assert chargers.states_16(told)[-1] == "SuspendedEVSE"
    told.pass_s(3600)
    assert chargers.states_16(told)[-1] == "Charging"
    assert told.station.outlets[1].meter.read(told.now_ms) == 2000
    schedule = told.ask("GetCompositeSchedule", connectorId=1, duration=600, chargingRateUnit="A")[
        "chargingSchedule"
    ]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 5.8}]
    assert told.ask("ClearChargingProfile", id=1)["status"] == "Accepted"
    assert told.ask("ClearChargingProfile", id=1)["status"] == "Unknown"
    assert told.station.outlets[1].flowing_w() == 11_000


@pytest.mark.parametrize(
    ("connector", "purpose", "status"),
    [
        (0, "TxDefaultProfile", "Accepted"), (2, "TxDefaultProfile", "Accepted"),
        (1, "TxProfile", "Rejected"), (1, "ChargePointMaxProfile", "Rejected"),
        (9, "TxDefaultProfile", "Rejected"),
    ],
)  # fmt: skip
def test_in_1_6_a_profile_has_its_place(connector: int, purpose: str, status: str) -> None:
    told = chargers.central_16().boot()
    put = {"connectorId": connector, "csChargingProfiles": profile_16(purpose, (0, 1000))}
    assert told.ask("SetChargingProfile", **put)["status"] == status


def test_in_1_6_a_profile_sent_with_a_remote_start_is_the_transaction_s() -> None:
    told = chargers.central_16().boot()
    sent = profile_16("TxProfile", (0, 3000))
    start = {"idTag": "APP", "connectorId": 1, "chargingProfile": sent}
    assert told.ask("RemoteStartTransaction", **start)["status"] == "Accepted"
    told.hear(told.station.plug(1, 11_000, told.now_ms))
    assert told.station.outlets[1].meter.power_w == 3000
    told.hear(told.station.unplug(1, told.now_ms))
    assert not told.station.limits.profiles.profiles


def profile_201(purpose: str, limit: float, **more: Any) -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": limit}
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]}
    return {
        "id": 4, "stackLevel": 0, "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative", "chargingSchedule": [schedule], **more,
    }  # fmt: skip


def test_in_2_0_1_a_changed_rate_is_an_event_and_profiles_are_reported() -> None:
    told = chargers.charging_201()
    transaction = told.station.outlets[1].transaction
    assert transaction is not None
    own = profile_201("TxProfile", 5000, transactionId=transaction.key)
    put = {"evseId": 1, "chargingProfile": own}
    assert told.ask("SetChargingProfile", **put)["status"] == "Accepted"
    assert chargers.events_201(told)[-1] == ("Updated", "ChargingRateChanged", "Charging")
    assert told.station.outlets[1].meter.power_w == 5000
    asked = {"requestId": 2, "chargingProfile": {"chargingProfilePurpose": "TxProfile"}}
    assert told.ask("GetChargingProfiles", **asked)["status"] == "Accepted"
    assert told.last("ReportChargingProfiles")["chargingProfile"] == [own]
    schedule = told.ask("GetCompositeSchedule", evseId=1, duration=60)["schedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 5000}]
    cleared = told.ask("ClearChargingProfile", chargingProfileCriteria={"evseId": 1})
    assert cleared["status"] == "Accepted"
    assert told.ask("GetChargingProfiles", **asked)["status"] == "NoProfiles"


def test_in_2_0_1_external_constraints_and_foreign_transactions_are_refused() -> None:
    told = chargers.charging_201()
    for found in (
        profile_201("ChargingStationExternalConstraints", 5000),
        profile_201("TxProfile", 5000, transactionId="another"),
        profile_201("TxProfile", 5000),
    ):
        put = {"evseId": 1, "chargingProfile": found}
        assert told.ask("SetChargingProfile", **put)["status"] == "Rejected"
