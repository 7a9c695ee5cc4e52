"""A device's life: every pair of status and command is legal or refused, as the table says."""

import pytest

from backend.devices.model import (
    OUTCOMES,
    TRANSITIONS,
    DeviceCommand,
    DeviceStatus,
    next_status,
    refusal_code,
)
from protocol.errors import CallerError, is_known

PAIRS = [(status, command) for status in DeviceStatus for command in DeviceCommand]


@pytest.mark.parametrize(("status", "command"), PAIRS)
def test_every_pair_follows_the_table(status: DeviceStatus, command: DeviceCommand) -> None:
    edge = TRANSITIONS.get((status, command))
    if edge is not None:
        assert next_status(status, command) is edge
        assert edge.event.startswith("Device")
        return
    with pytest.raises(CallerError) as refused:
        next_status(status, command)
    assert refused.value.code == "device_state"


def test_nothing_leaves_revoked() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] is DeviceStatus.REVOKED]


def test_each_command_leads_where_it_says() -> None:
    for (status, command), edge in TRANSITIONS.items():
        assert edge.status == OUTCOMES.get(command, status)


def test_only_an_active_device_is_heard() -> None:
    codes = {status: refusal_code(status) for status in DeviceStatus}
    assert codes.pop(DeviceStatus.ACTIVE) is None
    assert all(code is not None and is_known(code) for code in codes.values())
