"""A day's bills by XML: the same bytes as the newer interface's, in one call."""

import gzip
import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
from wechatpy.pay.utils import dict_to_xml

from tests.support.bills import fen, read_bill
from tests.support.clearing import World, clearing_world
from tests.support.merchant_caller import SHOWN, caller_of
from tests.support.migrated import migrated_sqlite
from tests.support.xml_caller import XmlCaller
from tests.unit.merchant_api.test_xml_codes_and_refunds import micropay
from tests.unit.merchant_api.test_xml_orders import code_of

DAY, LATER = date(2026, 11, 24), "20261125"
TRADE, FLOW = "/pay/downloadbill", "/pay/downloadfundflow"
HMAC = {"sign_type": "HMAC-SHA256"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with clearing_world(migrated_sqlite(tmp_path / "shop.db")) as found:
        yield found


@pytest.fixture
def xml(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[XmlCaller]:
    with caller_of(world.shop, monkeypatch) as found:
        yield XmlCaller(found)


def fetched(xml: XmlCaller, path: str, **fields: Any) -> httpx2.Response:
    """A file."""
    own = {"appid": xml.made["appid"], "mch_id": xml.made["mchid"], "nonce_str": "n1"}
    wanted = own | {"bill_date": f"{DAY:%Y%m%d}"} | fields
    body = dict_to_xml(wanted, xml.signature(wanted)).encode()
    shown = f"{xml.made['mchid']}/{xml.made['serial_no']}"
    answer = xml.caller.http.post(path, content=body, headers={SHOWN: shown})
    assert answer.status_code == 200
    return answer


@pytest.mark.asyncio
async def test_a_day_is_downloaded_plain_and_packed(world: World, xml: XmlCaller) -> None:
    payer = await world.payer_since_yesterday()
    micropay(xml, xml.caller.shop.code(payer), "code-0001", total_fee=1_280)
    early = xml.ask(TRADE, bill_date=f"{DAY:%Y%m%d}")
    assert (early["return_msg"], early["error_code"]) == ("Bill Creating", "20002")
    world.next_day()
    assert (await world.day_end.run(DAY))["state"] == "closed"

    for path, more in ((TRADE, {"bill_type": "ALL"}), (FLOW, {"account_type": "Basic"} | HMAC)):
        plain = fetched(xml, path, **more)
        assert plain.headers["digest"] == f"SHA={hashlib.sha1(plain.content).hexdigest()}"
        packed = fetched(xml, path, tar_type="GZIP", **more)
        assert gzip.decompress(packed.content) == plain.content
        assert packed.headers["digest"] == plain.headers["digest"]
    [row] = read_bill(fetched(xml, TRADE).content).rows
    assert (row["商户订单号"], fen(row["应结订单金额"])) == ("code-0001", 1_280)
    flow = read_bill(fetched(xml, FLOW, account_type="Basic", **HMAC).content)
    assert fen(flow.summary["收入金额"]) == 1_280
    empty = xml.ask(TRADE, bill_date=f"{DAY:%Y%m%d}", bill_type="REFUND")
    assert (empty["return_code"], empty["return_msg"]) == ("FAIL", "No Bill Exist")


def test_bills_that_are_refused(xml: XmlCaller) -> None:
    for wrong in ({}, {"bill_date": "2026-11-24"}, {"bill_date": "20261324"},
                  {"bill_date": LATER, "bill_type": "RECHARGE_REFUND"},
                  {"bill_date": LATER, "tar_type": "ZIP"}, {"bill_date": "20200101"}):  # fmt: skip
        assert code_of(xml.ask(TRADE, **wrong)) in {"PARAM_ERROR", "LACK_PARAMS"}
    flow = {"bill_date": f"{DAY:%Y%m%d}", "account_type": "Fees"}
    assert xml.ask(FLOW, **flow, **HMAC)["return_msg"] == "No Bill Exist"
    assert code_of(xml.ask(FLOW, **flow)) == "SIGNERROR"
    assert code_of(xml.ask(FLOW, shown="", **flow, **HMAC)) == "CA_ERROR"
