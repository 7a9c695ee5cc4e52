"""The payer's phone as an interface: registered, topped up, paying, protected."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from backend.devices.model import DeviceKind
from backend.disputes.cli import app as disputes
from protocol import cbor, cose
from protocol.crypto.keys import SigningKey, generate
from protocol.messages.mandate import MandateText, sign_mandate
from protocol.paycode import make_code
from tests.support.shop import MERCHANT, OTHER_MERCHANT, START_MS, Shop
from tests.support.things import enrol_device
from tests.support.wallet_http import OPERATOR

PIN = "246810"


class Phone:
    """A payer's wallet: its token, its key, its code secret."""

    def __init__(self, shop: Shop, http: TestClient, *, balance_minor: int = 50_000) -> None:
        self.shop, self.http = shop, http
        self.key: SigningKey = generate("SM2-SM3")
        self.payer_id = shop.id("pyr")
        wanted = {
            "payer_id": self.payer_id, "name": "韩梅梅", "pin": PIN,
            "key_suite": self.key.suite.name, "key_public": self.key.public.public.hex(),
        }  # fmt: skip
        answer = http.post("/operator/v1/payers", json=wanted, headers=OPERATOR)
        assert answer.status_code == 201, answer.text
        self.made: dict[str, Any] = answer.json()
        self.headers = {"authorization": f"Bearer {self.made['token']}"}
        if balance_minor:
            shop.top_up(self.payer_id, balance_minor)

    def get(self, path: str) -> Any:
        return self.http.get(f"/wallet/v1/{path}", headers=self.headers).json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.http.post(f"/wallet/v1/{path}", json=body, headers=self.headers).json()


def test_a_phone_shows_a_code_that_pays(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    codes = [phone.post("pay-code")["pay_code"] for _ in range(2)]
    assert codes[0] != codes[1]
    body = shop.create_body("pay_code", 1_000, pay_code=codes[1])
    assert shop.ask("payment.create", body)["state"] == "captured"
    assert phone.get("balance")["available_minor"] == 49_000
    (bill,) = phone.get("bills")["bills"]
    assert (bill["amount_minor"], bill["merchant_id"]) == (1_000, MERCHANT)


def test_a_phone_is_told_that_its_code_was_declined_and_nobody_else_is(
    shop: Shop, http: TestClient
) -> None:
    phone, other = Phone(shop, http, balance_minor=900), Phone(shop, http)
    assert phone.get("latest") == {"latest": None}

    def sell(amount_minor: int) -> str:
        code = phone.post("pay-code")["pay_code"]
        body = shop.create_body("pay_code", amount_minor, pay_code=code)
        return str(shop.ask("payment.create", body)["payment_id"])

    def told() -> tuple[str, str, str | None]:
        found = phone.get("latest")["latest"]
        return found["payment_id"], found["state"], found["error_code"]

    paid = sell(100)
    assert told() == (paid, "captured", None)
    shop.clock.at_ms += 1_000
    declined = sell(1_000)
    assert told() == (declined, "declined", "insufficient_balance")
    assert phone.get("latest")["latest"]["merchant_name"] == "晨光便利店"
    assert other.get("latest") == {"latest": None}
    assert [one["payment_id"] for one in phone.get("bills")["bills"]] == [paid]
    shop.clock.at_ms += 1_000
    again = sell(100)
    assert told() == (again, "captured", None)


def test_a_wallet_without_a_line_makes_its_code_itself(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    secret, route = bytes.fromhex(phone.made["code_secret"]), phone.made["code_route"]
    code = make_code(secret, route=route, at_ms=shop.clock.at_ms)
    body = shop.create_body("pay_code", 1_000, pay_code=code)
    assert shop.ask("payment.create", body)["state"] == "captured"


def test_a_phone_gets_four_codes_in_a_step(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    assert len({phone.post("pay-code")["pay_code"] for _ in range(4)}) == 4
    assert phone.post("pay-code")["error"]["code"] == "busy"
    shop.clock.at_ms += 30_000
    assert "pay_code" in phone.post("pay-code")


def test_a_phone_scans_and_confirms(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    shown = shop.show_qr(1_000)
    asked = phone.post("scan", {"content": shown["code_url"]})
    assert (asked["merchant_name"], asked["amount_minor"]) == ("晨光便利店", 1_000)
    body = {"payment_id": asked["payment_id"], "attempt_id": shop.id("att")}
    assert phone.post("confirm", body)["state"] == "captured"
    assert phone.post("confirm", body)["state"] == "captured"
    assert phone.get("balance")["balance_minor"] == 49_000


def test_a_large_payment_wants_the_right_pin(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    shown = shop.show_qr(30_000)
    body = {"payment_id": shown["payment_id"], "attempt_id": shop.id("att")}
    assert phone.post("confirm", body)["error"]["code"] == "pin_required"
    assert phone.post("confirm", body | {"pin": "000000"})["error"]["code"] == "pin_wrong"
    assert phone.post("confirm", body | {"pin": PIN})["state"] == "captured"


def test_five_wrong_pins_lock_the_pin_for_half_an_hour(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    body = {"payment_id": shop.show_qr(100)["payment_id"], "attempt_id": shop.id("att")}
    for _ in range(5):
        assert phone.post("confirm", body | {"pin": "000000"})["error"]["code"] == "pin_wrong"
    assert phone.post("confirm", body | {"pin": PIN})["error"]["code"] == "pin_locked"
    shop.clock.at_ms += 30 * 60_000
    body = {"payment_id": shop.show_qr(100)["payment_id"], "attempt_id": shop.id("att")}
    assert phone.post("confirm", body | {"pin": PIN})["state"] == "captured"


def test_a_phone_signs_a_mandate_and_suspends_it(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    text = MandateText(
        mandate_id=shop.id("mdt"), payer_id=phone.payer_id, merchant_id=MERCHANT, device="vend1",
        currency="CNY", limit_payment_minor=1_000, limit_day_minor=2_000,
        valid_from_ms=START_MS, valid_until_ms=START_MS + 86_400_000,
    )  # fmt: skip
    signed = sign_mandate(text, phone.key).hex()
    refused = phone.post("mandates", {"signed": signed})
    assert refused["error"]["code"] == "mandate_device_unknown"
    enrol_device(shop, "vend1", DeviceKind.THING)
    assert phone.post("mandates", {"signed": signed})["status"] == "active"
    foreign = text.model_copy(update={"mandate_id": shop.id("mdt"), "merchant_id": OTHER_MERCHANT})
    refused = phone.post("mandates", {"signed": sign_mandate(foreign, phone.key).hex()})
    assert refused["error"]["code"] == "mandate_device_unknown"
    long = text.model_copy(
        update={"mandate_id": shop.id("mdt"), "valid_until_ms": START_MS + 1_099 * 86_400_000}
    )
    refused = phone.post("mandates", {"signed": sign_mandate(long, phone.key).hex()})
    assert refused["error"]["code"] == "mandate_validity"
    stranger = Phone(shop, http)
    assert stranger.post("mandates", {"signed": signed})["error"]["code"] == "mandate_signature"
    path = f"mandates/{text.mandate_id}/suspend"
    assert stranger.post(path)["error"]["code"] == "mandate_not_found"
    assert phone.post(path)["status"] == "suspended_by_payer"
    (listed,) = phone.get("mandates")["mandates"]
    assert (listed["status"], "signed" in listed) == ("suspended_by_payer", False)
    assert phone.post(f"mandates/{text.mandate_id}/resume")["status"] == "active"
    assert phone.post(f"mandates/{text.mandate_id}/terminate")["status"] == "terminated"


@pytest.mark.parametrize("said", [5, "x", [1], None, {"mandate_id": 5}])
def test_what_is_signed_and_no_mandate_is_refused(
    shop: Shop, http: TestClient, said: object
) -> None:
    phone = Phone(shop, http)
    signed = cose.sign1(phone.key, cbor.encode(said), b"tillway-mandate-v1").hex()
    refused = phone.post("mandates", {"signed": signed})
    code = "id_invalid" if isinstance(said, dict) else "envelope_malformed"
    assert refused["error"]["code"] == code


def test_a_phone_sees_an_announced_debit_and_refuses_it(shop: Shop, http: TestClient) -> None:
    enrol_device(shop, "vend1", DeviceKind.THING)
    phone, stranger = Phone(shop, http), Phone(shop, http)
    text = MandateText(
        mandate_id=shop.id("mdt"), payer_id=phone.payer_id, merchant_id=MERCHANT, device="vend1",
        currency="CNY", limit_payment_minor=1_000, limit_day_minor=2_000,
        limit_month_minor=5_000, notice_hours=24,
        valid_from_ms=START_MS, valid_until_ms=START_MS + 9 * 86_400_000,
    )  # fmt: skip
    phone.post("mandates", {"signed": sign_mandate(text, phone.key).hex()})
    path = f"/operator/v1/merchants/{MERCHANT}/mandates/{text.mandate_id}"
    wanted = {"notice_id": shop.id("ntc"), "amount_minor": 900, "currency": "CNY"}
    assert http.post(f"{path}/notices", json=wanted).status_code == 401
    made = http.post(f"{path}/notices", json=wanted, headers=OPERATOR)
    assert (made.status_code, made.json()["debit_from_ms"]) == (201, START_MS + 86_400_000)
    (seen,) = phone.get("notices")["notices"]
    assert (seen["amount_minor"], seen["status"]) == (900, "announced")
    refusal = f"notices/{seen['notice_id']}/refuse"
    assert stranger.post(refusal)["error"]["code"] == "notice_not_found"
    assert phone.post(refusal)["status"] == "refused"
    withdrawal = http.post(f"{path}/{refusal.replace('refuse', 'withdraw')}", headers=OPERATOR)
    assert withdrawal.json()["error"]["code"] == "notice_state"
    assert stranger.get(f"mandates/{text.mandate_id}")["error"]["code"] == "mandate_not_found"
    events = [step["event"] for step in phone.get(f"mandates/{text.mandate_id}")["timeline"]]
    assert events == ["MandateSigned", "DebitAnnounced", "DebitNoticeRefused"]


def test_an_operator_acts_on_a_mandate_for_its_merchant_only(shop: Shop, http: TestClient) -> None:
    mandate_id = shop.add_mandate(shop.add_payer(balance_minor=1_000))
    body = shop.create_body("mandate", 700, mandate_id=mandate_id)
    shop.ask("payment.create", body, device="vend1")
    path = f"/operator/v1/merchants/{MERCHANT}/mandates"
    other = path.replace(MERCHANT, OTHER_MERCHANT)
    assert http.post(f"{path}/{mandate_id}/suspend").status_code == 401
    for wrong in (f"{other}/{mandate_id}/suspend", f"{other}/{mandate_id}/terminate"):
        refused = http.post(wrong, headers=OPERATOR).json()
        assert refused["error"]["code"] == "mandate_not_found"
    suspended = http.post(f"{path}/{mandate_id}/suspend", headers=OPERATOR).json()
    assert suspended["status"] == "suspended_by_merchant"
    assert http.get(other, headers=OPERATOR).json() == {"mandates": []}
    (listed,) = http.get(path, headers=OPERATOR).json()["mandates"]
    assert (listed["status"], listed["spent_month_minor"]) == ("suspended_by_merchant", 700)
    seen = http.get(f"{path}/{mandate_id}", headers=OPERATOR).json()
    assert [step["actor"] for step in seen["timeline"]][1:] == [f"merchant:{MERCHANT}"]
    assert [one["payment_id"] for one in seen["uses"]] == [body["payment_id"]]


def test_an_operator_leads_a_dispute(shop: Shop, http: TestClient) -> None:
    paid = shop.pay(shop.add_payer(balance_minor=1_000), 500)["payment_id"]
    wanted = {
        "dispute_id": shop.id("dsp"), "payment_id": paid, "amount_minor": 400,
        "currency": "CNY", "reason": "not_as_described",
    }  # fmt: skip
    path = f"/operator/v1/disputes/{wanted['dispute_id']}"

    def post(where: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = http.post(where, json=body, headers=OPERATOR).json()
        return answer

    assert http.post("/operator/v1/disputes", json=wanted).status_code == 401
    assert post(path + "/lose", {})["error"]["code"] == "dispute_not_found"
    assert post("/operator/v1/disputes", wanted)["cover_minor"] == 400
    evidence = {"merchant_id": MERCHANT, "evidence": "签收单"}
    assert post(f"{path}/evidence", evidence)["state"] == "under_review"
    assert post(f"{path}/lose", {})["state"] == "lost"
    seen = http.get(path, headers=OPERATOR).json()
    assert [step["event"] for step in seen["timeline"]] == [
        "DisputeOpened", "DisputeEvidenceGiven", "DisputeLost",
    ]  # fmt: skip
    of_payment = http.get(f"/operator/v1/payments/{paid}", headers=OPERATOR).json()
    assert [(one["state"], of_payment["disputed_minor"]) for one in of_payment["disputes"]] == [
        ("lost", 400)
    ]
    for query, count in (("?state=lost", 1), ("?state=open", 0), ("?merchant_id=x", 0)):
        listed = http.get(f"/operator/v1/disputes{query}", headers=OPERATOR).json()
        assert len(listed["disputes"]) == count
    collection = {"collection_id": shop.id("cvr")}
    collected = post(f"/operator/v1/merchants/{MERCHANT}/cover-collections", collection)
    assert collected == {"collected_minor": 0, "owed_minor": 400}
    runner = CliRunner(env={"COLUMNS": "200"})
    shown = runner.invoke(disputes, ["list", "--database", shop.url]).output
    assert wanted["dispute_id"] in shown
    assert shown.count("4.00 CNY") == 2
    narrow = runner.invoke(disputes, ["list", "--database", shop.url], env={"COLUMNS": "20"})
    assert wanted["dispute_id"] in narrow.output


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer wrong", "Basic x", "Bearer " + "a" * 500]
)
def test_no_wallet_opens_without_its_token(http: TestClient, header: str) -> None:
    answer = http.get("/wallet/v1/balance", headers={"authorization": header})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authorized")


def test_a_new_token_ends_the_old_one(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    path = f"/operator/v1/payers/{phone.payer_id}/tokens"
    token = http.post(path, headers=OPERATOR).json()["token"]
    assert phone.get("balance")["error"]["code"] == "not_authorized"
    phone.headers = {"authorization": f"Bearer {token}"}
    assert phone.get("balance")["balance_minor"] == 50_000


def test_only_an_operator_makes_and_stops_payers(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http)
    path = f"/operator/v1/payers/{phone.payer_id}/status"
    assert http.post(path, json={"status": "frozen"}).status_code == 401
    assert http.post(path, json={"status": "frozen"}, headers=OPERATOR).status_code == 200
    assert phone.post("pay-code")["error"]["code"] == "payer_frozen"
    path = f"/operator/v1/payers/{phone.payer_id}/block"
    block = {"is_on": True, "reason": "reported stolen"}
    assert http.post(path, json=block, headers=OPERATOR).json()["is_on"] is True


def test_no_secret_of_a_payer_is_stored_as_it_is(shop: Shop, http: TestClient) -> None:
    phone = Phone(shop, http, balance_minor=0)
    tables = ("payer", "payer_token", "pay_code_route")
    found = repr([shop.rows(f"SELECT * FROM {table}") for table in tables])
    for secret in (phone.made["token"], phone.made["code_secret"], PIN):
        assert secret not in found
        assert repr(bytes.fromhex(secret)) not in found


@pytest.mark.parametrize(
    "changes",
    [{"pin": "1"}, {"pin": "abcdef"}, {"key_public": "00" * 32}, {"key_public": "0" * 129},
     {"key_suite": "RSA"}, {"name": ""}, {"payer_id": "x"}, {"extra": 1}],
)  # fmt: skip
def test_a_payer_with_bad_fields_is_refused(
    shop: Shop, http: TestClient, changes: dict[str, Any]
) -> None:
    key = generate("SM2-SM3")
    wanted = {
        "payer_id": shop.id("pyr"), "name": "n", "pin": PIN,
        "key_suite": "SM2-SM3", "key_public": key.public.public.hex(),
    } | changes  # fmt: skip
    answer = http.post("/operator/v1/payers", json=wanted, headers=OPERATOR)
    assert answer.status_code in {400, 422}


def test_an_operator_sees_merchants_with_the_account_masked(shop: Shop, http: TestClient) -> None:
    path = f"/operator/v1/merchants/{MERCHANT}"
    assert http.get(path).status_code == 401
    plan = {"rate_bps": 70, "valid_from_ms": START_MS + 1}
    made = http.post(f"{path}/fee-plans", json=plan, headers=OPERATOR)
    assert (made.status_code, made.json()["version"]) == (201, 2)
    changed = http.patch(path, json={"biometric_above_minor": 5}, headers=OPERATOR).json()
    assert changed["biometric_above_minor"] == 5
    shown = http.get(path, headers=OPERATOR)
    assert [plan["version"] for plan in shown.json()["fee_plans"]] == [2, 1]
    assert shown.json()["payout_account_masked"] == "****1234"
    assert "6222000000001234" not in shown.text
    everyone = http.get("/operator/v1/merchants", headers=OPERATOR)
    assert len(everyone.json()["merchants"]) == 2


def test_an_operator_sees_a_payments_life(shop: Shop, http: TestClient) -> None:
    paid = shop.pay(shop.add_payer(balance_minor=1_000), 500)
    shop.refund(paid["payment_id"], 200)
    path = f"/operator/v1/payments/{paid['payment_id']}"
    seen = http.get(path, headers=OPERATOR).json()
    assert [step["event"] for step in seen["timeline"]] == [
        "PaymentCaptured", "PaymentPartiallyRefunded",
    ]  # fmt: skip
    assert seen["verdict"]["action"] == "allow"
    assert (len(seen["attempts"]), len(seen["refunds"])) == (1, 1)
    missing = http.get(f"/operator/v1/payments/{shop.id('pay')}", headers=OPERATOR)
    assert missing.json()["error"]["code"] == "payment_not_found"
