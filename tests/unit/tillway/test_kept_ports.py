"""A program that is started anew listens where it was."""

import json

import pytest

from tillway.demo.kept_ports import port_settings


@pytest.mark.parametrize(
    ("room", "ports", "settings"),
    [
        ("backend", {"public": 1, "hub": 2},
         {"TILLWAY_BACKEND_PUBLIC_PORT": "1", "TILLWAY_BACKEND_HUB_PORT": "2"}),
        ("hub", {"http": 1, "mqtt": 2},
         {"TILLWAY_HUB_HTTP__PORT": "1", "TILLWAY_HUB_MQTT__PORT": "2"}),
        ("terminal", {"http": 1}, {"TILLWAY_TERMINAL_HTTP__PORT": "1"}),
        ("sim", {"http": 1}, {"TILLWAY_SIM_HTTP_PORT": "1"}),
    ],
)  # fmt: skip
def test_each_room_is_told_its_ports(
    room: str, ports: dict[str, int], settings: dict[str, str]
) -> None:
    assert port_settings([room, "run"], {"ports": ports}) == settings


def test_institutions_are_told_theirs_by_their_names() -> None:
    one = port_settings(["sandbox", "run", "netsunion"], {"ports": {"http": 1}})
    assert json.loads(one["TILLWAY_SANDBOX_PORTS"]) == {"netsunion": {"http": 1}}
    said = {"bank-a": {"ports": {"http": 1}, "key": "k"}, "acp": {"ports": {"http": 2}}}
    many = port_settings(["sandbox", "run", "bank-a", "acp"], {"institutions": said})
    assert json.loads(many["TILLWAY_SANDBOX_PORTS"]) == {"bank-a": {"http": 1}, "acp": {"http": 2}}
