"""A charger is who its certificate says, and only a device's certificate says it; of passwords, an
address may show a few wrong ones."""

from typing import Any

import pytest

from hub.ocpp.limits import ADDRESSES_REMEMBERED_MAX, TRIES_MAX, TRIES_WINDOW_MS
from hub.ocpp.server import is_charger
from hub.ocpp.wrong_passwords import WrongPasswords


def certificate(kind: str, name: str) -> dict[str, Any]:
    return {
        "subject": ((("commonName", name),),),
        "subjectAltName": (("URI", f"tillway:{kind}:{name}"),),
    }


@pytest.mark.parametrize(
    ("kind", "name", "is_right"),
    [
        ("thing", "charger-1", True),
        ("terminal", "charger-1", True),
        ("thing", "charger-2", False),
        ("merchant", "charger-1", False),
        ("operator", "charger-1", False),
        ("hub", "charger-1", False),
    ],
)
def test_only_a_device_of_that_name_is_the_charger(kind: str, name: str, *, is_right: bool) -> None:
    assert is_charger(certificate(kind, name), "charger-1") is is_right


def test_a_certificate_that_names_nobody_is_nobodys() -> None:
    assert not is_charger({}, "charger-1")


def noted(address: str, times: int) -> WrongPasswords:
    tries = WrongPasswords()
    for at_ms in range(times):
        tries.note(address, now_ms=at_ms)
    return tries


def test_an_address_is_not_heard_after_too_many_wrong_passwords_until_the_window_is_over() -> None:
    assert noted("10.0.0.9", TRIES_MAX - 1).admits("10.0.0.9", now_ms=TRIES_MAX)
    tries = noted("10.0.0.9", TRIES_MAX)
    assert not tries.admits("10.0.0.9", now_ms=TRIES_MAX)
    assert tries.admits("10.0.0.8", now_ms=TRIES_MAX)
    assert not tries.admits("10.0.0.9", now_ms=TRIES_WINDOW_MS - 1)
    assert tries.admits("10.0.0.9", now_ms=TRIES_WINDOW_MS)
    tries.note("10.0.0.9", now_ms=TRIES_WINDOW_MS)
    assert tries.admits("10.0.0.9", now_ms=TRIES_WINDOW_MS)


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    tries = WrongPasswords()
    for _ in range(TRIES_MAX):
        tries.note("10.0.0.9", now_ms=TRIES_WINDOW_MS * 10)
    assert tries.admits("10.0.0.9", now_ms=TRIES_WINDOW_MS)


def test_all_addresses_of_an_ipv6_network_are_one() -> None:
    tries = WrongPasswords()
    for number in range(TRIES_MAX):
        tries.note(f"2001:db8::{number}", now_ms=0)
    assert not tries.admits("2001:db8::ffff", now_ms=0)
    assert tries.admits("2001:db8:0:1::1", now_ms=0)


def test_addresses_are_remembered_up_to_a_bound() -> None:
    tries = noted("10.0.0.9", TRIES_MAX)
    for number in range(ADDRESSES_REMEMBERED_MAX):
        tries.note(f"10.1.{number // 256}.{number % 256}", now_ms=20)
    assert tries.admits("10.0.0.9", now_ms=20)
