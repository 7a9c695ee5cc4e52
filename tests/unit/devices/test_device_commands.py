"""The registry's commands: history, revisions, and the news for hubs in the same commit."""

from collections.abc import Iterator

import pytest

from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.devices.limits import KEY_OVERLAP_MS
from backend.devices.model import DeviceCommand, DeviceKind, DeviceRow
from backend.devices.repository import DeviceRepository
from backend.devices.service import ChangeDevice, CreateStore, EnrolDevice, RotateKey
from backend.hub_api.push_repository import PushRepository
from protocol import cbor
from protocol.crypto import generate
from protocol.errors import CallerError
from tests.support.backend import MERCHANT, NOW_MS, STORE, Machine, StepClock, a_merchant


class Desk:
    """A writer on a fresh database, and what can be read of it."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self.writer = GroupCommitWriter(open_store(self._engine), clock=StepClock())
        self._reader = Reader.open(url)
        self.devices = DeviceRepository(self._reader)
        self.pushes = PushRepository(self._reader)

    def do(self, command: object) -> DeviceRow:
        row: DeviceRow = self.writer.apply([command])[0].value()  # type: ignore[list-item]
        return row

    def close(self) -> None:
        self.writer.close()
        self._reader.close()
        self._engine.dispose()


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    found = Desk(migrated_url)
    found.do(a_merchant())
    found.do(CreateStore(store=STORE, merchant_id=MERCHANT, name="First"))
    yield found
    found.close()


def enrolment(machine: Machine, *, is_active: bool = True) -> EnrolDevice:
    return EnrolDevice(
        tid=machine.tid,
        kind=DeviceKind.TERMINAL,
        store=machine.store,
        key=machine.new_key,
        actor="test",
        is_active=is_active,
    )


def code_of(desk: Desk, command: object) -> str:
    with pytest.raises(CallerError) as refused:
        desk.do(command)
    return refused.value.code


def test_each_change_is_one_row_of_history_and_one_piece_of_news(desk: Desk) -> None:
    till = Machine("till-1")
    desk.do(enrolment(till, is_active=False))
    for command in (DeviceCommand.ACTIVATE, DeviceCommand.SUSPEND, DeviceCommand.RESUME):
        desk.do(ChangeDevice(tid="till-1", command=command, actor="ann", reason="why"))
    events = [row["event"] for row in desk.devices.history("till-1")]
    assert events == ["DeviceEnrolled", "DeviceActivated", "DeviceSuspended", "DeviceResumed"]
    news = [cbor.decode(row["body"], bytes_max=4096) for row in desk.pushes.after(STORE, 0, 10)]
    assert [row["status"] for row in news] == ["enrolled", "active", "suspended", "active"]
    assert [row["revision"] for row in news] == [1, 2, 3, 4]


def test_asking_twice_changes_nothing(desk: Desk) -> None:
    till = Machine("till-1")
    first = desk.do(enrolment(till))
    assert desk.do(enrolment(till)) == first
    suspend = ChangeDevice(tid="till-1", command=DeviceCommand.SUSPEND, actor="ann")
    assert desk.do(suspend) == desk.do(suspend)
    assert len(desk.pushes.after(STORE, 0, 10)) == 2


def test_a_name_and_a_key_belong_to_one_device(desk: Desk) -> None:
    till = Machine("till-1")
    desk.do(enrolment(till))
    assert code_of(desk, enrolment(Machine("till-1"))) == "device_exists"
    assert code_of(desk, enrolment(Machine("till-2", key=till.key))) == "key_taken"
    assert code_of(desk, RotateKey(tid="nobody", key=till.new_key, actor="x")) == "device_unknown"


def test_a_rotation_moves_to_the_new_key_and_no_key_comes_back(desk: Desk) -> None:
    till = Machine("till-1")
    desk.do(enrolment(till))
    old, till.key = till.new_key, generate()
    row = desk.do(RotateKey(tid="till-1", key=till.new_key, actor="rotation"))
    assert (row.kid, row.revision) == (till.new_key.kid, 2)
    assert row.old_key is not None
    assert (row.old_key.public_key, row.old_key.until_ms) == (
        old.public_key,
        NOW_MS + KEY_OVERLAP_MS,
    )
    assert desk.devices.device("till-1") == row
    assert desk.do(RotateKey(tid="till-1", key=till.new_key, actor="rotation")) == row
    assert code_of(desk, RotateKey(tid="till-1", key=old, actor="rotation")) == "key_taken"


def test_a_suspended_device_keeps_its_key(desk: Desk) -> None:
    till = Machine("till-1")
    desk.do(enrolment(till))
    desk.do(ChangeDevice(tid="till-1", command=DeviceCommand.SUSPEND, actor="ann"))
    till.key = generate()
    assert code_of(desk, RotateKey(tid="till-1", key=till.new_key, actor="x")) == "device_state"


def test_a_store_belongs_to_one_merchant_that_exists(desk: Desk) -> None:
    again = CreateStore(store=STORE, merchant_id=MERCHANT, name="First")
    desk.do(again)
    nobody = CreateStore(store="store-2", merchant_id="nobody", name="Second")
    assert code_of(desk, nobody) == "merchant_unknown"
    desk.do(a_merchant("merchant-2"))
    other = CreateStore(store=STORE, merchant_id="merchant-2", name="First")
    assert code_of(desk, other) == "idempotency_conflict"
    assert code_of(desk, enrolment(Machine("till-1", store="store-9"))) == "store_unknown"


def test_the_pushes_of_a_store_are_numbered_without_gaps(desk: Desk) -> None:
    outcomes = desk.writer.apply([enrolment(Machine(f"till-{n}")) for n in range(10)])
    assert all(outcome.error is None for outcome in outcomes)
    desk.do(enrolment(Machine("till-99")))
    assert [row["seq"] for row in desk.pushes.after(STORE, 0, 20)] == list(range(1, 12))
    assert [row["seq"] for row in desk.pushes.after(STORE, 9, 1)] == [10]
