"""News of the backend: pushes, the device table, and what they do at once."""

from collections.abc import Iterator

import pytest

from hub.domain.effects import Push
from hub.domain.limits import PARCEL_AGE_MS_MAX, PARCELS_OFFERED_PER_DEVICE_MAX
from hub.domain.registry import Device, Registry
from hub.news import read_devices, read_news
from protocol import cbor, cose
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from tests.kit.hub_shop import STORE, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.enrol("till-1", "till-2")
    yield made
    made.close()


def push(bench: Bench, cursor: int, tid: str = "till-1") -> Push:
    return Push(cursor=cursor, device=tid, kind="res", payload=bench.shop.push(tid, cursor))


def test_a_push_waits_until_its_device_acknowledges(bench: Bench) -> None:
    bench.hub.pushes_arrived(1, [push(bench, 1)])
    _, _, parcel = bench.link.told[-1]
    assert parcel is not None
    bench.hub.undelivered("till-1", parcel)
    bench.link.told.clear()
    hub = bench.start()
    assert hub.core.cursor == 1
    hub.connected("till-1")
    assert len(bench.link.told) >= 1
    hub.delivered("till-1", parcel)
    hub.tick()
    assert bench.start().core.delivery.parcels == 0


def test_a_page_that_comes_twice_counts_once(bench: Bench) -> None:
    for _ in range(2):
        bench.hub.pushes_arrived(1, [push(bench, 1)])
    assert bench.hub.core.delivery.parcels == 1


def test_only_so_many_are_offered_at_a_time_and_in_their_order(bench: Bench) -> None:
    count = PARCELS_OFFERED_PER_DEVICE_MAX + 5
    bench.hub.pushes_arrived(count, [push(bench, number + 1) for number in range(count)])
    assert len(bench.link.told) == PARCELS_OFFERED_PER_DEVICE_MAX
    for index in range(count):
        parcel = bench.link.told[index][2]
        assert parcel == ("downlink", index + 1)
        bench.hub.delivered("till-1", parcel)
    assert bench.hub.core.delivery.parcels == 0


def test_a_revoked_device_is_cut_off_and_refused_at_once(bench: Bench) -> None:
    bench.hub.pushes_arrived(1, [push(bench, 1)])
    bench.hub.pushes_arrived(2, [], [bench.shop.device("till-1", status="revoked", revision=2)])
    assert bench.link.cut_off == ["till-1"]
    assert not bench.hub.core.registry.admits("till-1")
    assert bench.hub.core.delivery.parcels == 0
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 1))
    assert bench.link.words() == [("till-1", "device_revoked")]
    bench.start()
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 2))
    assert bench.link.words()[-1] == ("till-1", "device_revoked"), "also without the backend"


def test_what_comes_for_a_device_that_was_revoked_is_not_kept(bench: Bench) -> None:
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 1))
    bench.hub.pushes_arrived(1, [], [bench.shop.device("till-1", status="revoked", revision=2)])
    bench.answer(1)
    bench.hub.pushes_arrived(2, [push(bench, 2)])
    assert bench.hub.core.delivery.parcels == 0
    bench.hub.tick()
    rows = bench.connection.execute(
        "SELECT (SELECT count(*) FROM uplink) + (SELECT count(*) FROM downlink)"
    )
    assert rows.fetchone() == (0,)


def test_a_hub_that_died_while_a_device_was_revoked_keeps_nothing_for_it(bench: Bench) -> None:
    bench.hub.pushes_arrived(1, [push(bench, 1)])
    bench.hub.pushes_arrived(2, [], [bench.shop.device("till-1", status="revoked", revision=2)])
    hub = bench.start()  # no tick in between: the row is still there
    assert hub.core.delivery.parcels == 0
    hub.tick()
    assert bench.connection.execute("SELECT count(*) FROM downlink").fetchone() == (0,)


def test_an_older_row_never_replaces_a_newer(bench: Bench) -> None:
    bench.enrol("till-1", status="revoked", revision=3)
    bench.hub.pushes_arrived(1, [], [bench.shop.device("till-1", revision=2)])
    assert not bench.hub.core.registry.admits("till-1")


def test_a_device_that_is_gone_from_the_table_is_unknown(bench: Bench) -> None:
    bench.hub.devices_arrived([bench.shop.device("till-2")])
    assert bench.link.cut_off == ["till-1"]
    hub = bench.start()
    hub.receive("till-1", bench.shop.envelope("till-1", 1))
    assert bench.link.words() == [("till-1", "device_unknown")]


def test_a_charger_stops_that_is_gone_from_the_table_but_not_for_want_of_a_table(
    bench: Bench,
) -> None:
    registry = bench.hub.core.registry
    assert not registry.is_stopped("till-1")
    bench.hub.devices_arrived([bench.shop.device("till-2")])
    assert registry.is_stopped("till-1")
    assert (registry.revision("till-1"), registry.revision("till-2")) == (None, 1)
    assert not Registry().is_stopped("till-1")


def test_a_device_pushed_while_the_table_was_asked_for_is_not_gone(bench: Bench) -> None:
    known = bench.hub.core.registry.names()
    bench.hub.pushes_arrived(1, [], [bench.shop.device("till-3")])
    bench.hub.core.devices_arrived(
        [bench.shop.device("till-1"), bench.shop.device("till-2")], known=known
    )
    assert bench.hub.core.registry.admits("till-3")


def test_a_rotated_key_counts_at_once(bench: Bench) -> None:
    old = bench.shop.devices["till-1"]
    bench.shop.devices["till-1"] = generate("SM2-SM3")
    bench.hub.pushes_arrived(1, [], [bench.shop.device("till-1", revision=2)])
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 1, key=old))
    assert bench.link.words() == [("till-1", "signature_invalid")]
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 2))
    assert bench.hub.core.forwarding.rows == 1


def test_the_key_before_a_rotation_counts_for_a_while(bench: Bench) -> None:
    old = bench.shop.devices["till-1"]
    bench.shop.devices["till-1"] = generate("ES256")
    public = old.public
    row = bench.shop.row("till-1", revision=2) | {
        "old": {"suite": public.suite.name, "public": public.public,
                "until_ms": bench.clock.ms + 1_000},
    }  # fmt: skip
    bench.hub.pushes_arrived(1, [], [Device.from_wire(row, store=STORE)])
    for counter, key in ((1, old), (2, None)):
        bench.hub.receive("till-1", bench.shop.envelope("till-1", counter, key=key))
    assert bench.link.words() == []
    bench.hub = bench.start()  # the durable copy of the row knows both keys
    bench.clock.ms += 1_000
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 3, key=old))
    assert bench.link.words() == [("till-1", "signature_invalid")]


def test_what_is_too_old_is_let_go_and_counted(bench: Bench) -> None:
    bench.hub.pushes_arrived(1, [push(bench, 1)])
    bench.clock.ms += PARCEL_AGE_MS_MAX + 1
    bench.hub.tick()
    assert bench.hub.core.delivery.parcels == 0
    assert bench.hub.core.delivery.lost == {"expired": 1}


def test_a_page_of_news_is_read(bench: Bench) -> None:
    shop = bench.shop
    rows: list[object] = [
        [4, "answer", "till-1", shop.push("till-1", 1)],
        [5, "registry", "till-2", shop.row("till-2", status="suspended", revision=2)],
        [6, "of the future", "till-1", b""],
        [7, "command", "till-2", shop.push("till-2", 2)],
    ]
    news = read_news(rows, store=STORE, backend_key=shop.find_backend_key)
    assert news is not None
    assert news.cursor == 7
    assert [(one.device, one.kind) for one in news.pushes] == [("till-1", "res"), ("till-2", "cmd")]
    assert [(one.tid, one.status) for one in news.devices] == [("till-2", "suspended")]
    assert read_news([], store=STORE, backend_key=shop.find_backend_key) is None


def test_news_that_cannot_hold_are_refused(bench: Bench) -> None:
    shop = bench.shop
    foreign = shop.seal([], key=shop.hub_key)
    assert foreign == []
    good = shop.push("till-1", 1)
    for rows in (
        "no list",
        [[1, "answer", "till-2", good]],
        [[1, "answer", "till-1", good[:-1]]],
        [[1, "answer", "till-1"]],
        [[1, "registry", "till-1", b"bytes"]],
        [[index, "of the future", "", b""] for index in range(300)],
    ):
        with pytest.raises(CallerError):
            read_news(rows, store=STORE, backend_key=shop.find_backend_key)


def test_the_device_table_must_be_the_backends(bench: Bench) -> None:
    shop = bench.shop
    rows = [shop.row("till-1"), {"tid": "broken"}]
    table = cbor.encode({"version": 1, "store": STORE, "at_ms": 1, "devices": rows})
    good = cose.sign1(shop.backend_key, table)
    read = read_devices(good, store=STORE, backend_key=shop.find_backend_key)
    assert [device.tid for device in read] == ["till-1"], "a bad row does not hide the others"
    with pytest.raises(CallerError, match="signature_invalid"):
        read_devices(
            cose.sign1(shop.hub_key, table), store=STORE, backend_key=shop.find_backend_key
        )
    with pytest.raises(CallerError, match="envelope_malformed"):
        read_devices(good, store="store-2", backend_key=shop.find_backend_key)
