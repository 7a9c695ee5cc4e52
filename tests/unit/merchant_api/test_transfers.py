"""A merchant's program gives settled money to a payer, on both databases: once a number, to whom it
means, and back where it is not taken."""

import asyncio
import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from backend.bills.repository import BillRepository
from backend.db.command import Command, Outcome
from backend.merchant_api.bills.repository import ProgramNames
from backend.merchant_api.transfers.service import TransferByProgram
from backend.merchant_transfers.limits import LIFE_MS
from backend.merchant_transfers.model import TRANSITIONS, TransferState, TransferStep, next_state
from backend.merchant_transfers.service import EndTransfer, MakeTransfer
from backend.payments.expiry import expire_transfers
from backend.wallet.service import SetPayerStatus
from protocol.errors import CallerError
from tests.support.disputes import OWED, cover, settle
from tests.support.merchant_caller import Caller, caller_of
from tests.support.shop import MERCHANT, Shop
from tests.support.wallet_http import services_of
from tests.unit.merchant_api.test_orders_and_codes import openid

BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
AVAILABLE, HELD = f"C:MAVAIL:{MERCHANT}:CNY", "C:REDPKT:CNY"


@pytest.fixture
def caller(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """A merchant that has sold something, and has the money."""
    shop = Shop(migrated_url)
    shop.add_merchant()
    buyer = shop.add_payer(balance_minor=270_000)
    for _ in range(3):
        assert shop.pay(buyer, 90_000)["state"] == "captured"
    settle(shop)
    with caller_of(shop, monkeypatch) as found:
        yield found
    shop.close()


def secret(caller: Caller, name: str) -> str:
    key = load_pem_public_key(caller.made["platform"]["public_key"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    oaep = padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)
    return base64.b64encode(key.encrypt(name.encode(), oaep)).decode()


def give(caller: Caller, name: str, number: str = "T1", **changes: Any) -> tuple[int, Any]:
    body = {
        "appid": caller.made["appid"],
        "out_bill_no": number,
        "transfer_scene_id": "1000",
        "openid": name,
        "transfer_amount": 500,
        "transfer_remark": "新会员有礼",
        "notify_url": "https://shop.example/notify",
    } | changes
    serial = caller.made["platform"]["public_key_id"]
    answer = caller.ask("POST", BILLS, body, serial=serial)
    return answer.status_code, answer.json()


def stands(caller: Caller, number: str = "T1") -> dict[str, Any]:
    found: dict[str, Any] = caller.ask("GET", f"{BILLS}/out-bill-no/{number}").json()
    return found


def phone(caller: Caller, payer_id: str, path: str = "", method: str = "GET") -> Any:
    heads = {"authorization": f"Bearer token of {payer_id}"}
    url = f"/wallet/v1/merchant-transfers{path}"
    return caller.http.request(method, url, headers=heads).json()


def take(caller: Caller, payer_id: str, transfer_id: str) -> Any:
    return phone(caller, payer_id, f"/{transfer_id}/take", "POST")


def refusal(caller: Caller, payer_id: str, transfer_id: str) -> str:
    with pytest.raises(CallerError) as refused:
        take(caller, payer_id, transfer_id)
    return refused.value.code


def finished(caller: Caller) -> list[str]:
    """Of which state the merchant's server is told."""
    events = [body["event_type"] for _, body in caller.callbacks()]
    return [event for event in events if event == "MCHTRANSFER.BILL.FINISHED"]


def test_a_transfer_waits_for_its_receiver_who_takes_it_once(caller: Caller) -> None:
    shop = caller.shop
    payer_id, other_id = shop.add_payer(), shop.add_payer()
    name, before = openid(caller, payer_id), shop.balance(AVAILABLE)
    status, made = give(caller, name, user_name=secret(caller, "李雷"))
    assert (status, made["state"], made["out_bill_no"]) == (200, "WAIT_USER_CONFIRM", "T1")
    # The name is encrypted anew at each try, and is the same name.
    assert give(caller, name, user_name=secret(caller, "李雷")) == (200, made)
    assert give(caller, name, user_name=secret(caller, "韩梅梅"))[1]["code"] == "INVALID_REQUEST"
    assert give(caller, name, transfer_amount=1)[1]["code"] == "INVALID_REQUEST"
    assert (shop.balance(AVAILABLE), shop.balance(HELD)) == (before - 500, 500)
    (shown,) = phone(caller, payer_id)["transfers"]
    assert (shown["transfer_id"], shown["remark"]) == (made["package_info"], "新会员有礼")
    assert refusal(caller, other_id, made["package_info"]) == "merchant_transfer_not_found"
    assert not finished(caller)

    taken = take(caller, payer_id, made["package_info"])
    assert take(caller, payer_id, made["package_info"]) == taken
    assert (shop.payer_balance(payer_id), shop.balance(HELD)) == (500, 0)
    found = stands(caller)
    assert (found["state"], found["transfer_amount"], found["openid"]) == ("SUCCESS", 500, name)
    number = found["transfer_bill_no"]
    assert caller.ask("GET", f"{BILLS}/transfer-bill-no/{number}").json() == found
    assert len(finished(caller)) == 1
    answer = caller.ask("POST", f"{BILLS}/out-bill-no/T1/cancel")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert shop.verify().is_whole


def test_what_we_covered_for_a_merchant_comes_back_before_it_gives(caller: Caller) -> None:
    shop, before = caller.shop, caller.shop.balance(AVAILABLE)
    name = openid(caller, shop.add_payer())
    cover(shop, before - 500)
    status, said = give(caller, name, transfer_amount=501)
    assert (status, said["code"]) == (403, "NOT_ENOUGH")
    assert shop.balance(OWED) == before - 500  # a refusal moves nothing
    assert give(caller, name)[1]["state"] == "WAIT_USER_CONFIRM"
    assert (shop.balance(OWED), shop.balance(AVAILABLE), shop.balance(HELD)) == (0, 0, 500)
    assert shop.verify().is_whole


def test_a_fund_flow_bill_knows_it_by_the_program_s_number(caller: Caller) -> None:
    shop = caller.shop
    name = openid(caller, shop.add_payer())
    for number in ("T1", "T2"):
        assert give(caller, name, number)[0] == 200
    caller.ask("POST", f"{BILLS}/out-bill-no/T2/cancel")
    with shop.reader.snapshot() as connection:
        books = BillRepository(connection)
        merchant = books.merchant(MERCHANT)
        assert merchant is not None
        _, moves = books.basic_account(merchant, 0, shop.clock.at_ms + 1)
        named = ProgramNames(b"key", caller.account).moves(connection, moves)
        given = [(one.number, one.voucher) for one in named if "mtr_" in one.event_id]
    first, second = (stands(caller, number)["transfer_bill_no"] for number in ("T1", "T2"))
    assert sorted(given) == sorted([(first, first), (second, second), (second, second)])


def test_one_that_is_given_up_or_not_taken_in_a_day_is_the_merchant_s_again(
    caller: Caller,
) -> None:
    shop = caller.shop
    payer_id, before = shop.add_payer(), shop.balance(AVAILABLE)
    name = openid(caller, payer_id)
    first, second = (give(caller, name, number)[1]["package_info"] for number in ("T1", "T2"))
    given_up = caller.ask("POST", f"{BILLS}/out-bill-no/T1/cancel")
    assert (given_up.status_code, given_up.json()["state"]) == (200, "CANCELLED")
    assert caller.ask("POST", f"{BILLS}/out-bill-no/T1/cancel").json() == given_up.json()
    assert refusal(caller, payer_id, first) == "merchant_transfer_over"

    services = services_of(shop)
    assert asyncio.run(expire_transfers(services)) == 0
    shop.clock.at_ms += LIFE_MS
    assert refusal(caller, payer_id, second) == "merchant_transfer_over"
    assert asyncio.run(expire_transfers(services)) == 1
    assert asyncio.run(expire_transfers(services)) == 0
    assert stands(caller, "T2")["fail_reason"] == "OVERDUE_CLOSE"
    assert (shop.balance(AVAILABLE), shop.balance(HELD)) == (before, 0)
    assert len(finished(caller)) == 2
    assert shop.verify().is_whole


def test_what_cannot_be_given_is_refused_and_leaves_the_number_free(caller: Caller) -> None:
    shop = caller.shop
    payer_id, before = shop.add_payer(), shop.balance(AVAILABLE)
    name = openid(caller, payer_id)
    for changes, status, code in (
        ({"transfer_amount": 299_000, "user_name": secret(caller, "李雷")}, 403, "NOT_ENOUGH"),
        ({"transfer_amount": 200_000}, 400, "PARAM_ERROR"),  # a name must be said
        ({"transfer_amount": 0}, 400, "PARAM_ERROR"),
        ({"user_name": "bm90IGVuY3J5cHRlZA=="}, 400, "PARAM_ERROR"),
        ({"openid": "o" + "x" * 27}, 400, "PARAM_ERROR"),
        ({"appid": "wx0000000000000000"}, 400, "APPID_MCHID_NOT_MATCH"),
        ({"out_bill_no": "T-1"}, 400, "PARAM_ERROR"),
        ({"transfer_scene_id": "gift"}, 400, "PARAM_ERROR"),
    ):
        refused = give(caller, name, **changes)
        assert (refused[0], refused[1]["code"]) == (status, code), changes
    for path in ("out-bill-no/T1", "transfer-bill-no/1"):
        assert caller.ask("GET", f"{BILLS}/{path}").json()["code"] == "RESOURCE_NOT_EXISTS"
    assert shop.rows("SELECT * FROM merchant_transfer") == []
    assert shop.balance(AVAILABLE) == before

    _, wrong = give(caller, name, user_name=secret(caller, "韩梅梅"))
    assert (wrong["state"], wrong["fail_reason"]) == ("FAIL", "NAME_NOT_CORRECT")
    assert "package_info" not in wrong
    assert shop.balance(AVAILABLE) == before
    assert len(finished(caller)) == 1
    shop.do(SetPayerStatus(payer_id=payer_id, is_frozen=True))
    assert give(caller, name, "T2")[0] == 400


def test_several_processes_give_once_and_end_it_in_one_way(caller: Caller) -> None:
    shop = caller.shop
    payer_id, before = shop.add_payer(), shop.balance(AVAILABLE)
    name = openid(caller, payer_id)
    shops = [shop, *(Shop(shop.url, first_id=number) for number in (5_000, 9_000))]

    def giving(one: Shop) -> TransferByProgram:
        make = MakeTransfer(
            transfer_id=one.id("mtr"), merchant_id=MERCHANT, receiver_id="", receiver_name="",
            amount_minor=500, currency="CNY", remark="谢谢", notify_url=None, notify_form="",
            rules=one.rules,
        )  # fmt: skip
        return TransferByProgram(
            make=make, mchid="1600000001", out_bill_no="T1", appid=caller.made["appid"],
            openid=name, scene_id="1000", content_hash=b"same",
        )  # fmt: skip

    def at_once(act: Callable[[Shop], Command]) -> list[Outcome]:
        def often(one: Shop) -> list[Outcome]:
            return [outcome for _ in range(4) for outcome in one.apply(act(one))]

        with ThreadPoolExecutor(len(shops)) as pool:
            return [outcome for found in pool.map(often, shops) for outcome in found]

    made = {one.result[0]["transfer_id"] for one in at_once(giving) if one.error is None}
    assert len(made) == 1
    assert (shop.balance(AVAILABLE), shop.balance(HELD)) == (before - 500, 500)
    (transfer_id,) = made

    def ending(one: Shop) -> EndTransfer:
        step, by = (TransferStep.TAKE, payer_id)
        if one is not shop:
            step, by = (TransferStep.CANCEL, MERCHANT)
        return EndTransfer(transfer_id=transfer_id, step=step, by=by, rules=one.rules)

    ends = {one.result["state"] for one in at_once(ending) if one.error is None}
    assert len(ends) == 1
    received = 500 if ends == {"succeeded"} else 0
    assert (shop.payer_balance(payer_id), shop.balance(HELD)) == (received, 0)
    assert shop.balance(AVAILABLE) == before - received
    assert shop.verify().is_whole
    for one in shops[1:]:
        one.close()


@pytest.mark.parametrize("state", list(TransferState))
@pytest.mark.parametrize("step", list(TransferStep))
def test_only_what_waits_can_end(state: TransferState, step: TransferStep) -> None:
    if (state, step) in TRANSITIONS:
        assert next_state(state, step) is not state
        return
    with pytest.raises(CallerError) as refused:
        next_state(state, step)
    assert refused.value.code == "merchant_transfer_over"
