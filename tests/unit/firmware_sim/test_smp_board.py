"""Goal: the board takes firmware as MCUmgr's protocol says and boots it as MCUboot does.

Method: ``imgtool``, unmodified, signs; a host speaks SMP to the board in virtual time.
"""

from pathlib import Path
from typing import Any

import pytest

from firmware_sim.devices.smp_board.board import BOOT_MS, SmpBoard
from firmware_sim.devices.smp_board.flash import Flash
from firmware_sim.devices.smp_board.slots import SecurityCounter
from protocol.crypto.image_keys import image_key_from_pem
from protocol.errors import CallerError
from protocol.framing import mcuboot, smp
from protocol.framing.smp import Error, Group, ImageError, Op
from tests.support.firmware import SLOT_SECTORS, SigningRoom, body_of, open_signing_room
from tests.support.smp_host import SilentError, SmpHost


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> SigningRoom:
    return open_signing_room(tmp_path_factory.mktemp("signing"))


@pytest.fixture(scope="module")
def old(room: SigningRoom) -> bytes:
    return room.sign(body_of("old", 9000), "1.0.0", "-s", "1")


@pytest.fixture(scope="module")
def new(room: SigningRoom) -> bytes:
    return room.sign(body_of("new", 14_000), "1.1.0", "-s", "2")


@pytest.fixture
def host(room: SigningRoom, old: bytes) -> SmpHost:
    board = SmpBoard(SLOT_SECTORS, image_key_from_pem(room.public_pem.read_bytes()))
    board.load(old)
    host = SmpHost(board)
    host.power_on()
    assert host.version == "1.0.0"
    return host


def _digest(data: bytes) -> bytes:
    image = mcuboot.read_image(data)
    assert isinstance(image, mcuboot.Image)
    return image.digest


def _refusal(code: ImageError) -> dict[str, dict[str, int]]:
    return {"err": {"group": 1, "rc": code}}


def test_a_trial_that_nobody_confirms_is_undone_at_the_next_boot(host: SmpHost, new: bytes) -> None:
    assert host.upload(new) == {"off": len(new), "match": True}
    host.set_state(_digest(new))
    assert [state["pending"] for state in host.states()] == [False, True]
    host.reset()
    assert host.version == "1.1.0"
    first, second = host.states()
    assert (first["active"], first["confirmed"], second["confirmed"]) == (True, False, True)
    host.reset()
    assert host.version == "1.0.0"
    assert [state["confirmed"] for state in host.states()] == [True, False]


def test_a_confirmed_trial_stays(host: SmpHost, new: bytes) -> None:
    host.upload(new)
    host.set_state(_digest(new))
    host.reset()
    answer = host.set_state(confirm=True)
    assert answer["images"][0]["confirmed"]
    host.reset()
    host.reset()
    assert host.version == "1.1.0"


def test_a_permanent_swap_needs_no_confirmation(host: SmpHost, new: bytes) -> None:
    host.upload(new)
    states = host.set_state(_digest(new), confirm=True)["images"]
    assert (states[1]["pending"], states[1]["permanent"]) == (True, True)
    host.reset()
    host.reset()
    assert host.version == "1.1.0"
    assert host.states()[0]["confirmed"]


def test_the_swap_changes_places_and_loses_nothing(host: SmpHost, old: bytes, new: bytes) -> None:
    host.upload(new)
    host.set_state(_digest(new))
    host.reset()
    areas = host.board.areas
    assert host.board.flash.read(areas.primary.start, len(new)) == new
    assert host.board.flash.read(areas.secondary.start, len(old)) == old


def test_an_older_security_counter_is_refused_once_the_newer_is_confirmed(
    host: SmpHost, new: bytes, room: SigningRoom
) -> None:
    host.upload(new)
    host.set_state(_digest(new))
    host.reset()
    assert host.board.areas.counter.value == 1  # on trial: the way back stays open
    host.set_state(confirm=True)
    host.reset()
    assert host.board.areas.counter.value == 2
    newer_name = room.sign(body_of("old", 3000), "9.0.0", "-s", "1")
    host.upload(newer_name)
    host.set_state(_digest(newer_name))
    host.reset()
    start = host.board.start
    assert start is not None
    assert start.refused is mcuboot.Flaw.ROLLED_BACK
    assert host.version == "1.1.0"
    assert [state["slot"] for state in host.states()] == [0]


@pytest.mark.parametrize("at", [100, 5000])
def test_a_damaged_image_is_not_booted_and_the_old_one_stays_for_good(
    host: SmpHost, new: bytes, at: int
) -> None:
    broken = bytearray(new)
    broken[at + 512] ^= 1
    host.upload(bytes(broken))
    host.set_state(_digest(new))
    host.reset()
    start = host.board.start
    assert start is not None
    assert start.refused is mcuboot.Flaw.BAD_HASH
    assert host.version == "1.0.0"
    host.reset()
    assert host.version == "1.0.0"


def test_an_image_of_another_key_is_not_booted(host: SmpHost, tmp_path: Path) -> None:
    foreign = open_signing_room(tmp_path / "foreign").sign(body_of("evil", 2000), "3.0.0")
    host.upload(foreign)
    host.set_state(_digest(foreign))
    host.reset()
    assert host.version == "1.0.0"


def test_wrong_data_is_seen_by_the_announced_hash(host: SmpHost, new: bytes) -> None:
    assert host.upload(new, sha=bytes(32)) == {"off": len(new), "match": False}


def test_an_upload_goes_on_where_it_stopped_and_a_wrong_offset_is_told_the_right_one(
    host: SmpHost, new: bytes
) -> None:
    first = {"len": len(new), "sha": b"s" * 32}

    def send(offset: int, count: int, **more: Any) -> object:
        data = new[offset : offset + count]
        return host.ask(Op.WRITE, Group.IMAGE, 1, off=offset, data=data, **more)

    assert send(500, 100) == {"off": 0}
    assert send(0, 500, **first) == {"off": 500}
    assert send(900, 100) == {"off": 500}
    assert send(500, 100) == {"off": 600}
    assert send(0, 500, **first) == {"off": 600}
    assert send(0, 500, len=len(new), sha=b"t" * 32) == {"off": 500}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"data": b"x" * 64, "len": 64}, ImageError.INVALID_OFFSET),
        ({"off": True, "data": b"x" * 64, "len": 64}, ImageError.INVALID_OFFSET),
        ({"off": 0, "data": b"x" * 64}, ImageError.INVALID_LENGTH),
        ({"off": 0, "data": b"x" * 31, "len": 64}, ImageError.INVALID_HEADER),
        ({"off": 0, "data": b"x" * 64, "len": 32}, ImageError.INVALID_HEADER),
        ({"off": 0, "data": b"x" * 64, "len": 64}, ImageError.INVALID_MAGIC),
        ({"off": 0, "data": b"x" * 64, "len": 64, "image": 1}, ImageError.INVALID_SLOT),
        ({"off": 0, "data": b"x" * 64, "len": 64, "sha": b"s" * 33}, ImageError.INVALID_HASH),
    ],
)
def test_a_bad_upload_is_refused_and_writes_nothing(
    host: SmpHost, fields: dict[str, Any], code: ImageError
) -> None:
    writes = host.board.flash.writes
    assert host.ask(Op.WRITE, Group.IMAGE, 1, **fields) == _refusal(code)
    assert host.board.flash.writes == writes


def test_an_image_that_does_not_fit_or_is_no_upgrade_is_refused(
    host: SmpHost, old: bytes, new: bytes
) -> None:
    big = new + bytes(SLOT_SECTORS * 4096)
    assert host.upload(big) == _refusal(ImageError.TOO_LARGE)
    assert host.upload(old, upgrade=True) == _refusal(ImageError.CURRENT_IS_NEWER)
    assert host.upload(new, upgrade=True)["match"]
    more = new[:64]
    host.ask(Op.WRITE, Group.IMAGE, 1, off=0, data=more, len=100)
    overrun = host.ask(Op.WRITE, Group.IMAGE, 1, off=64, data=bytes(37))
    assert overrun == _refusal(ImageError.DATA_OVERRUN)


def test_the_way_back_is_not_written_over(host: SmpHost, old: bytes, new: bytes) -> None:
    host.upload(new)
    host.set_state(_digest(new))
    assert host.upload(new) == _refusal(ImageError.NO_FREE_SLOT)
    host.reset()
    assert host.upload(new) == _refusal(ImageError.NO_FREE_SLOT)
    assert host.ask(Op.WRITE, Group.IMAGE, 5) == _refusal(ImageError.NO_FREE_SLOT)
    assert host.set_state(_digest(old)) == _refusal(ImageError.ALREADY_PENDING)
    host.set_state(confirm=True)
    assert host.upload(new)["match"]


def test_states_that_make_no_sense_are_refused(host: SmpHost, old: bytes, new: bytes) -> None:
    host.upload(new)
    assert host.set_state(b"x" * 32) == _refusal(ImageError.HASH_NOT_FOUND)
    assert host.set_state(b"x") == _refusal(ImageError.INVALID_HASH)
    assert host.set_state() == _refusal(ImageError.INVALID_HASH)
    assert host.set_state(_digest(old)) == _refusal(ImageError.TEST_OF_ACTIVE)
    host.set_state(_digest(new))
    assert host.set_state(confirm=True) == _refusal(ImageError.ALREADY_PENDING)


def test_the_erased_slot_is_empty(host: SmpHost, new: bytes) -> None:
    host.upload(new)
    assert host.ask(Op.WRITE, Group.IMAGE, 5, slot=1) == {}
    assert [state["slot"] for state in host.states()] == [0]
    assert host.ask(Op.WRITE, Group.IMAGE, 5, slot=0) == _refusal(ImageError.INVALID_SLOT)


def test_the_os_group_answers(host: SmpHost) -> None:
    assert host.ask(Op.WRITE, Group.OS, 0, d="你好") == {"r": "你好"}
    assert host.ask(Op.READ, Group.OS, 6) == {"buf_size": 1024, "buf_count": 2}
    assert host.ask(Op.READ, Group.OS, 8) == {"bootloader": "MCUboot"}
    mode = host.ask(Op.READ, Group.OS, 8, query="mode")
    assert mode == {"mode": 1, "no-downgrade": True}
    assert host.ask(Op.READ, Group.OS, 8, query="x") == {"err": {"group": 0, "rc": 3}}
    [image] = host.ask(Op.READ, Group.IMAGE, 6)["images"]
    assert image["max_image_size"] == (SLOT_SECTORS - 1) * 4096


def test_the_clock_runs_once_it_is_set_and_is_lost_with_the_power(host: SmpHost) -> None:
    unset = {"err": {"group": 0, "rc": 4}}
    assert host.ask(Op.READ, Group.OS, 4) == unset
    assert host.ask(Op.WRITE, Group.OS, 4, datetime="soon") == {"rc": Error.INVALID}
    assert host.ask(Op.WRITE, Group.OS, 4, datetime="2026-11-28T09:00:00") == {}
    host.now_ms += 1500
    assert host.ask(Op.READ, Group.OS, 4)["datetime"].startswith("2026-11-28T09:00:01.50")
    host.ask(Op.WRITE, Group.OS, 4, datetime="9999-12-31T23:59:59")
    host.now_ms += 2000
    assert host.ask(Op.READ, Group.OS, 4) == unset
    host.reset()
    assert host.ask(Op.READ, Group.OS, 4) == unset


def test_it_says_what_it_is_and_which_groups_it_knows(host: SmpHost) -> None:
    assert host.ask(Op.READ, Group.OS, 7) == {"output": "Tillway"}
    assert host.ask(Op.READ, Group.OS, 7, format="is") == {"output": "Tillway smp_board"}
    assert len(host.ask(Op.READ, Group.OS, 7, format="a")["output"].split()) == 8
    assert host.ask(Op.READ, Group.OS, 7, format="x") == {"err": {"group": 0, "rc": 2}}
    enumeration = Group.ENUMERATION
    assert host.ask(Op.READ, enumeration, 0) == {"count": 3}
    assert host.ask(Op.READ, enumeration, 1) == {"groups": [0, 1, 10]}
    assert host.ask(Op.READ, enumeration, 2) == {"group": 0}
    assert host.ask(Op.READ, enumeration, 2, index=2) == {"group": 10, "end": True}
    assert host.ask(Op.READ, enumeration, 2, index=3) == {"err": {"group": 10, "rc": 4}}
    assert host.ask(Op.READ, enumeration, 3, groups=[1])["groups"] == [
        {"group": 1, "name": "img mgmt"}
    ]
    assert host.ask(Op.READ, enumeration, 3, groups=1) == {"rc": Error.INVALID}


def test_what_is_not_known_or_not_understood_has_the_general_codes(host: SmpHost) -> None:
    assert host.ask(Op.READ, 99, 0) == {"rc": Error.NOT_SUPPORTED}
    assert host.ask(Op.READ, Group.OS, 5) == {"rc": Error.NOT_SUPPORTED}
    assert host.ask(Op.WRITE, Group.OS, 0, d=1) == {"rc": Error.INVALID}
    assert host.ask(Op.READ, Group.OS, 6, version=2) == {"rc": Error.TOO_NEW}
    sent = smp.Message(Op.READ, Group.OS, 6, b"\x01")
    [reply] = host.board.feed(smp.encode(sent), host.now_ms)
    [item] = smp.LineParser().feed(reply.payload)
    assert isinstance(item, smp.Received)
    assert item.message.fields() == {"rc": Error.INVALID}


def test_the_first_protocol_gets_its_own_codes(host: SmpHost) -> None:
    def refused(**fields: object) -> object:
        return host.ask(Op.WRITE, Group.IMAGE, 0, version=0, **fields)

    assert refused(hash=b"x" * 32) == {"rc": Error.NO_ENTRY}
    assert refused(hash=b"x") == {"rc": Error.INVALID}


def test_a_message_beyond_the_buffer_is_dropped(host: SmpHost) -> None:
    fits = 1024 - 4 - 8 - 6
    assert len(host.ask(Op.WRITE, Group.OS, 0, d="x" * fits)["r"]) == fits
    with pytest.raises(SilentError):
        host.ask(Op.WRITE, Group.OS, 0, d="x" * (fits + 1))
    assert host.ask(Op.WRITE, Group.OS, 0, d="x") == {"r": "x"}


def test_a_board_without_a_sound_image_waits_for_one(room: SigningRoom, new: bytes) -> None:
    board = SmpBoard(SLOT_SECTORS, image_key_from_pem(room.public_pem.read_bytes()))
    board.load(mcuboot.pack_image(b"unsigned", mcuboot.Version(1)))
    host = SmpHost(board)
    host.power_on()
    assert host.version == "unsigned"
    assert not host.states()[0]["active"]
    assert host.upload(new)["match"]
    host.reset()
    assert host.version == "1.1.0"


def test_the_recovery_button_and_the_boot_mode_open_recovery(host: SmpHost, new: bytes) -> None:
    host.ask(Op.WRITE, Group.OS, 5, boot_mode=1)
    host.wait()
    host.upload(new)
    assert host.states()[0]["version"] == "1.1.0"
    host.board.reset(host.now_ms, hold_recovery=True)
    host.wait()
    assert not host.states()[0]["active"]
    host.board.reset(host.now_ms, hold_recovery=False)
    host.wait()
    assert host.states()[0]["active"]


def test_a_booting_board_is_deaf_and_says_what_it_does_if_it_talks(old: bytes) -> None:
    board = SmpBoard(SLOT_SECTORS, is_talkative=True)
    board.load(old)
    [banner] = board.boot(100)
    assert b"Jumping to firmware 1.0.0" in banner.payload
    echo = smp.encode(smp.message(Op.WRITE, Group.OS, 0, {"d": "x"}))
    assert banner.at_ms >= 100 + BOOT_MS
    assert board.feed(echo, 100) == []
    assert len(board.feed(echo, banner.at_ms)) == 1


def test_power_that_fails_at_once_comes_back_in_time(host: SmpHost) -> None:
    host.board.cut_power(host.now_ms, after_writes=None, is_torn=False, off_ms=500)
    with pytest.raises(SilentError):
        host.ask(Op.READ, Group.OS, 6)
    assert not host.board.has_power
    assert host.board.reset(host.now_ms, hold_recovery=False) == []
    assert host.board.next_deadline_ms() == host.now_ms + 500
    host.wait()
    assert host.version == "1.0.0"


def test_what_does_not_fit_the_slot_is_not_loaded() -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        SmpBoard(SLOT_SECTORS).load(bytes(SLOT_SECTORS * 4096 + 1))


def test_flash_clears_bits_and_never_sets_one() -> None:
    flash = Flash(1)
    flash.program(0, b"\x0f")
    flash.program(0, b"\xf1")
    assert flash.read(0, 1) == b"\x01"
    flash.erase(0)
    assert flash.read(0, 1) == b"\xff"


def test_erased_sectors_take_no_memory_and_reads_end_with_the_flash() -> None:
    flash = Flash(3)
    flash.put(4090, b"twelve bytes")
    assert flash.read(4088, 16) == b"\xff\xfftwelve bytes\xff\xff"
    assert len(flash._used) == 2
    flash.erase(4096)
    assert list(flash._used) == [0]
    assert flash.read(4096 * 3 - 2, 10) == b"\xff\xff"


def test_the_counter_only_rises_and_a_torn_record_counts_nothing() -> None:
    counter = SecurityCounter(Flash(1), 0)
    for value in (3, 2, 7):
        counter.raise_to(value)
    assert counter.value == 7
    counter.flash.put(16, b"\xff\x00\x00\x00")
    assert counter.value == 7
    for value in range(8, 600):
        counter.raise_to(value)
    assert counter.value == 7 + 4096 // 8 - 3
