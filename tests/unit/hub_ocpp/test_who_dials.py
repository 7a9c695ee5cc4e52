"""A charger is who its certificate says, and only a device's certificate says it."""

from typing import Any

import pytest

from hub.ocpp.server import is_charger


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
