"""Artifacts in pieces, wishes and reports about firmware; on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.devices.model import DeviceCommand, DeviceKind
from backend.devices.service import ChangeDevice, CreateStore, EnrolDevice
from backend.firmware.limits import ARTIFACT_BYTES_MAX, PIECE_BYTES
from backend.firmware.model import Artifact, read_artifact
from backend.firmware.repository import FirmwareRepository
from backend.firmware.service import AddArtifact, AddPiece, ReportFirmware, WantFirmware
from backend.hub_api.push_repository import PushRepository
from backend.payments.model import DeviceRequest
from backend.rollouts.wishes import WISHES, Word
from protocol import cbor
from protocol.crypto.image_keys import image_key_from_pem
from protocol.errors import CallerError
from protocol.framing import mcuboot
from protocol.messages import DeviceFirmware
from tests.support.backend import MERCHANT, STORE, Machine, StepClock, a_merchant
from tests.support.firmware import SigningRoom, body_of, open_signing_room


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> SigningRoom:
    return open_signing_room(tmp_path_factory.mktemp("maker"))


@pytest.fixture(scope="module")
def image(maker: SigningRoom) -> bytes:
    return maker.sign(body_of("new", 9_000), "2.0.1")


def test_an_image_that_the_makers_tool_signed_is_taken_and_says_its_version(
    maker: SigningRoom, image: bytes
) -> None:
    key = image_key_from_pem(maker.public_pem.read_bytes())
    found = read_artifact(image, version="", keys=[key])
    assert (found.kind, found.version, found.size) == ("mcuboot", "2.0.1", len(image))
    whole = mcuboot.read_image(image)
    assert isinstance(whole, mcuboot.Image)
    assert found.image_hash == whole.digest.hex()


def test_what_nobody_signed_or_somebody_else_did_is_refused(
    maker: SigningRoom, image: bytes, tmp_path: Path
) -> None:
    other = image_key_from_pem(open_signing_room(tmp_path).public_pem.read_bytes())
    unsigned = mcuboot.pack_image(body_of("x", 900), mcuboot.Version(2))
    damaged = bytearray(image)
    damaged[600] ^= 1
    for data, keys, detail in (
        (unsigned, [], "unsigned"),
        (image, [other], "other_key"),
        (bytes(damaged), [], "bad_hash"),
        (b"\x7fELF" + bytes(100), [], "no_image"),
        (b"", [], "no_image"),
    ):
        with pytest.raises(CallerError, match=f"firmware_file_invalid.*{detail}"):
            read_artifact(data, version="", keys=keys)
    with pytest.raises(CallerError, match="field_invalid"):
        read_artifact(image, version="9.9.9", keys=[])
    with pytest.raises(CallerError, match="field_invalid"):
        read_artifact(b"070702" + bytes(200), version="", keys=[])
    with pytest.raises(CallerError, match="envelope_too_large"):
        read_artifact(bytes(ARTIFACT_BYTES_MAX + 1), version="", keys=[])


class Desk:
    """A writer on a fresh database with a till, and what can be read of it."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self.writer = GroupCommitWriter(open_store(self._engine), clock=StepClock())
        self._reader = Reader.open(url)
        self.firmware = FirmwareRepository(self._reader)
        self._pushes = PushRepository(self._reader)
        self._number = 0
        self.do(a_merchant())
        self.do(CreateStore(store=STORE, merchant_id=MERCHANT, name="First"))
        self.do(EnrolDevice(tid="till-1", kind=DeviceKind.TERMINAL, store=STORE,
                            key=Machine("till-1").new_key, actor="t", is_active=True))  # fmt: skip

    def do(self, command: Any) -> Any:
        return self.writer.apply([command])[0].value()

    def bring(self, data: bytes, *, version: str = "") -> Artifact:
        artifact = read_artifact(data, version=version, keys=[])
        for number, start in enumerate(range(0, len(data), PIECE_BYTES)):
            self.do(AddPiece(artifact.digest, number, data[start : start + PIECE_BYTES]))
        self.do(AddArtifact(artifact=artifact, name="board", by="ann"))
        return artifact

    def want(self, digest: str) -> Any:
        return self.do(WantFirmware(tid="till-1", digest=digest, by="ann"))

    def report(self, version: int, state: str, **said: Any) -> dict[str, Any]:
        self._number += 1
        body = {"number": self._number, "wanted_version": version, "state": state, **said}
        message_type, answer = self.do(ReportFirmware(DeviceRequest(
            request_id="req_1", device="till-1", store=STORE, merchant_id=MERCHANT,
            message_type="device.firmware", body=DeviceFirmware.from_map(body), content_hash=b"",
            received_at_ms=1, trace_id="", fingerprint=b"",
        )))  # fmt: skip
        assert message_type == "firmware.wanted"
        found: dict[str, Any] = answer
        return found

    @property
    def row(self) -> Any:
        return self.firmware.device("till-1")

    def told(self) -> list[dict[str, Any]]:
        rows = self._pushes.after(STORE, 0, 100)
        news = [row for row in rows if row["message_type"] == "firmware.wanted"]
        return [cbor.decode(row["body"], bytes_max=4096) for row in news]

    def close(self) -> None:
        self.writer.close()
        self._reader.close()
        self._engine.dispose()


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    found = Desk(migrated_url)
    yield found
    found.close()


def test_an_artifact_is_read_in_pieces_from_any_byte_on(desk: Desk) -> None:
    data = b"070702" + body_of("archive", 5 * PIECE_BYTES)
    artifact = desk.bring(data, version="7")
    assert desk.bring(data, version="7") == artifact
    for start in (0, 1, PIECE_BYTES, 2 * PIECE_BYTES + 17):
        read, offset = b"", start
        while some := desk.firmware.content(artifact.digest, offset):
            read, offset = read + some, offset + len(some)
        assert read == data[start:]
    assert len(desk.firmware.artifacts()) == 1


def test_a_wish_is_followed_to_its_end_and_what_comes_after_is_not_believed(
    desk: Desk, image: bytes
) -> None:
    artifact = desk.bring(image)
    assert desk.report(0, "waiting", running_version="1.0.0")["digest"] == ""
    desk.want(artifact.digest)
    assert desk.want(artifact.digest)["wanted_version"] == 1
    assert desk.told() == [{"version": 1, "digest": artifact.digest, "size": len(image)}]
    for state in ("downloading", "installing", "trying", "confirmed", "failed"):
        assert desk.report(1, state)["version"] == 1
    assert desk.row["state"] == "confirmed"
    steps = [step["state"] for step in desk.firmware.history("till-1")]
    assert steps == ["confirmed", "trying", "installing", "downloading", "waiting"]


def test_a_late_word_on_an_earlier_wish_changes_nothing(desk: Desk, image: bytes) -> None:
    desk.want(desk.bring(image).digest)
    desk.report(1, "failed", code="firmware_refused")
    assert desk.want(desk.row["digest"])["wanted_version"] == 2  # the same again is a new try
    desk.report(1, "confirmed")
    assert desk.row["state"] == "waiting"
    assert desk.want("")["wanted_version"] == 3
    assert desk.told()[-1] == {"version": 3, "digest": "", "size": 0}


def test_what_cannot_be_wanted_is_refused(desk: Desk) -> None:
    with pytest.raises(CallerError, match="firmware_unknown"):
        desk.want("ab" * 32)
    desk.do(ChangeDevice(tid="till-1", command=DeviceCommand.REVOKE, actor="ann"))
    with pytest.raises(CallerError, match="device_revoked"):
        desk.want("")


def test_a_rollout_hears_how_a_device_has_ended_and_takes_the_wish_back(
    desk: Desk, image: bytes
) -> None:
    artifact, wish = desk.bring(image), WISHES["firmware"]
    content = {"digest": artifact.digest}
    wish.check(content)
    with pytest.raises(CallerError, match="field_invalid"):
        wish.check({**content, "more": 1})
    told: list[Any] = []

    def within(work: Any) -> Any:
        class Within:
            def reads(self) -> list[Any]:
                return wish.read("till-1")

            def decide(self, ws: Any, now_ms: int) -> Any:
                return work(ws, now_ms)

        return desk.do(Within())

    offer = within(lambda ws, now_ms: wish.offer(ws, "till-1", content, by="rol", now_ms=now_ms))
    for state in ("installing", "confirmed"):
        desk.report(offer.version, state)
        told.append(within(lambda ws, _: wish.said(ws, "till-1", offer.version)).word)
    assert told == [Word.NOTHING_YET, Word.SUCCEEDED]
    within(lambda ws, now_ms: wish.undo(ws, "till-1", offer.before, by="rol", now_ms=now_ms))
    assert desk.row["digest"] == ""
    assert within(lambda ws, _: wish.said(ws, "till-1", offer.version)).word is Word.OVERTAKEN
