"""What devices are set to: wishes, reports, drift; on both databases."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.devices.model import DeviceCommand, DeviceKind
from backend.devices.repository import DeviceRepository
from backend.devices.selection import Selection
from backend.devices.service import ChangeDevice, CreateStore, EnrolDevice
from backend.devices.tags import TagDevice
from backend.hub_api.push_repository import PushRepository
from backend.payments.model import DeviceRequest
from backend.twins.model import Standing, drift_of, standing_of
from backend.twins.repository import TwinRepository
from backend.twins.service import ChangeSettings, ChangeStoreSettings, ReportSettings
from protocol import cbor
from protocol.errors import CallerError
from protocol.messages import DeviceSettings
from tests.support.backend import MERCHANT, STORE, Machine, StepClock, a_merchant


class Desk:
    """A writer on a fresh database with two tills and a hub, and what can be read of it."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._writer = GroupCommitWriter(open_store(self._engine), clock=StepClock())
        self._reader = Reader.open(url)
        self.devices = DeviceRepository(self._reader)
        self.twins = TwinRepository(self._reader)
        self.pushes = PushRepository(self._reader)
        self.do(a_merchant())
        self.do(CreateStore(store=STORE, merchant_id=MERCHANT, name="First"))
        for tid in ("till-1", "till-2", "hub-1"):
            kind = DeviceKind.HUB if tid == "hub-1" else DeviceKind.TERMINAL
            key = Machine(tid).new_key
            self.do(
                EnrolDevice(tid=tid, kind=kind, store=STORE, key=key, actor="t", is_active=True)
            )

    def do(self, command: Any) -> Any:
        return self._writer.apply([command])[0].value()

    def set(self, tid: str = "till-1", **changes: Any) -> Any:
        return self.do(ChangeSettings(tid=tid, changes=changes, by="ann", reason="why"))

    def report(self, number: int, **said: Any) -> dict[str, Any]:
        """The terminal says how it stands; what it is answered with."""
        usual = {"schema_version": 1, "version": 0, "wanted_version": 0, "outcome": "confirmed",
                 "values": {"language": "zh"}}  # fmt: skip
        request = DeviceRequest(
            request_id="req_1", device="till-1", store=STORE, merchant_id=MERCHANT,
            message_type="device.settings",
            body=DeviceSettings.from_map({**usual, "number": number, **said}),
            content_hash=b"", received_at_ms=1, trace_id="", fingerprint=b"",
        )  # fmt: skip
        message_type, body = self.do(ReportSettings(request))
        assert message_type == "settings.wanted"
        found: dict[str, Any] = body
        return found

    def standing(self) -> Standing:
        row = self.twins.twin("till-1")
        assert row is not None
        return standing_of(row)

    def wishes(self) -> list[dict[str, Any]]:
        rows = self.pushes.after(STORE, 0, 100)
        told = [row for row in rows if row["message_type"] == "settings.wanted"]
        return [cbor.decode(row["body"], bytes_max=4096) for row in told]

    def close(self) -> None:
        self._writer.close()
        self._reader.close()
        self._engine.dispose()


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    found = Desk(migrated_url)
    yield found
    found.close()


def test_a_wish_is_told_with_its_version_and_the_same_wish_again_is_none(desk: Desk) -> None:
    assert desk.set(language="en")["wanted_version"] == 1
    assert desk.set(language="en")["wanted_version"] == 1
    assert desk.set(idle_lock_s=60)["wanted_version"] == 2
    assert desk.set(language=None)["wanted_version"] == 3
    values = [wish["values"] for wish in desk.wishes()]
    assert values == [{"language": "en"}, {"idle_lock_s": 60, "language": "en"},
                      {"idle_lock_s": 60}]  # fmt: skip
    events = [row["event"] for row in desk.twins.history("till-1")]
    assert events == ["SettingsWanted"] * 3


@pytest.mark.parametrize(
    ("tid", "changes", "code"),
    [
        ("till-1", {"langage": "en"}, "setting_unknown"),
        ("till-1", {"langage": None}, "setting_unknown"),
        ("till-1", {"language": "fr"}, "setting_invalid"),
        ("till-9", {"language": "en"}, "device_unknown"),
        ("hub-1", {"language": "en"}, "setting_unfit"),
    ],
)
def test_what_cannot_be_is_refused(
    desk: Desk, tid: str, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(CallerError) as refused:
        desk.set(tid, **changes)
    assert refused.value.code == code
    assert desk.wishes() == []


def test_a_misspelt_name_is_told_the_nearest_one(desk: Desk) -> None:
    with pytest.raises(CallerError, match="did you mean receipt_footer_zh"):
        desk.set(receipt_footer="thanks")


def test_a_device_is_followed_from_its_wish_to_the_end(desk: Desk) -> None:
    desk.report(1)
    desk.set(language="en")
    assert desk.standing() is Standing.WAITING
    assert desk.report(2) == {"version": 1, "values": {"language": "en"}}
    desk.report(3, version=1, wanted_version=1, outcome="trying")
    assert desk.standing() is Standing.TRYING
    desk.report(4, version=1, wanted_version=1, values={"language": "en"})
    assert desk.standing() is Standing.IN_FORCE
    row = desk.twins.twin("till-1")
    assert row is not None
    assert drift_of(row) == {}
    events = [step["event"] for step in desk.twins.history("till-1")]
    assert events == ["SettingsConfirmed", "SettingsTried", "SettingsWanted"]


def test_a_machine_that_somebody_changed_by_hand_drifts(desk: Desk) -> None:
    desk.set(language="en")
    desk.report(1, version=1, wanted_version=1, values={"language": "zh"})
    row = desk.twins.twin("till-1")
    assert row is not None
    assert drift_of(row) == {"language": {"wanted": "en", "actual": "zh"}}


def test_an_older_report_changes_nothing_and_a_new_journal_counts_anew(desk: Desk) -> None:
    desk.set(language="en")
    desk.report(5, version=1, wanted_version=1)
    desk.report(4, wanted_version=1, outcome="rolled_back", code="setting_trial_cut")
    assert desk.standing() is Standing.IN_FORCE
    assert desk.report(1)["version"] == 1
    assert desk.standing() is Standing.WAITING


def test_the_same_wish_after_a_failure_is_a_new_try(desk: Desk) -> None:
    desk.set(language="en")
    desk.report(1, wanted_version=1, outcome="rolled_back", code="setting_trial_cut")
    assert desk.set(language="en")["wanted_version"] == 2
    assert desk.set(language="en")["wanted_version"] == 2


def test_a_wish_counts_above_what_the_device_has_looked_at(desk: Desk) -> None:
    desk.report(1, version=40, wanted_version=41, outcome="refused", code="setting_unknown")
    assert desk.set(language="en")["wanted_version"] == 42


def test_a_device_that_is_heard_for_the_first_time_is_set_as_its_store_is(desk: Desk) -> None:
    usual = {"language": "en", "sound": False}
    desk.do(ChangeStoreSettings(store=STORE, changes=usual, by="ann"))
    desk.do(ChangeStoreSettings(store=STORE, changes={"sound": None}, by="ann"))
    assert desk.report(1) == {"version": 1, "values": {"language": "en"}}
    desk.do(ChangeStoreSettings(store=STORE, changes=usual, by="ann"))
    assert desk.report(2)["version"] == 1  # one that is known is set by name or by group
    row = desk.twins.of_store(STORE)
    assert row is not None
    assert json.loads(row["wanted"]) == usual
    with pytest.raises(CallerError, match="store_unknown"):
        desk.do(ChangeStoreSettings(store="nowhere", changes=usual, by="ann"))


def test_nobody_sets_a_device_that_is_revoked(desk: Desk) -> None:
    desk.do(ChangeDevice(tid="till-1", command=DeviceCommand.REVOKE, actor="ann"))
    with pytest.raises(CallerError, match="device_revoked"):
        desk.set(language="en")


def test_devices_are_found_by_what_is_said_of_them(desk: Desk) -> None:
    desk.do(TagDevice(tid="till-1", add=("pilot", "window"), by="ann"))
    desk.do(TagDevice(tid="till-1", add=("pilot",), remove=("window",), by="ann"))
    found = desk.devices.fleet(Selection(tag="pilot"), after="")
    assert [(row["tid"], row["tags"]) for row in found] == [("till-1", ["pilot"])]
    assert desk.devices.fleet(Selection(tag="window"), after="") == []
    by_text = desk.devices.fleet(Selection(text="ill-", kind="terminal"), after="till-1")
    assert [row["tid"] for row in by_text] == ["till-2"]
    assert desk.devices.fleet(Selection(text="%"), after="") == []
    named = desk.devices.chosen(Selection(tids=("till-2", "nobody"), store=STORE))
    assert [row["tid"] for row in named] == ["till-2"]
    for wrong in ({"add": ("a b",)}, {"add": ("a",), "remove": ("a",)}):
        with pytest.raises(CallerError, match="field_invalid"):
            desk.do(TagDevice(tid="till-1", by="ann", **wrong))
    for bad in (Selection(kind="toaster"), Selection(tag="a b"), Selection(text="x" * 65)):
        with pytest.raises(CallerError, match="field_invalid"):
            bad.check()
