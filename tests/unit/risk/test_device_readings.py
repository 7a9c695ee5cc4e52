"""What devices say of themselves: kept, judged beside the payments, seen by the next payment."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from backend.clearing.calendar import Calendar
from backend.http_errors import status_of
from backend.payments.model import DeviceRequest
from backend.risk.cases.model import CaseClock
from backend.risk.cases.repository import CaseRepository
from backend.risk.devices import routes
from backend.risk.devices.evidence import Sign
from backend.risk.devices.facts import device_facts
from backend.risk.devices.judge import DeviceJudge
from backend.risk.devices.judging import NOT_ENROLLED, Verdict
from backend.risk.devices.limits import READINGS_PER_DEVICE_PER_DAY_MAX
from backend.risk.devices.pseudonyms import pseudonym_key, pseudonymous, to_text
from backend.risk.devices.readings import plain_reading
from backend.risk.devices.repository import ReadingRepository
from backend.risk.devices.service import AcceptReading, KeepReading
from backend.risk.devices.words import SIGNS, VERDICTS, reason_words
from faces.routes import add_routes
from protocol.errors import CallerError, TillwayError
from protocol.messages import DeviceFingerprint
from terminal.adapters.simulated_reader import SimulatedReader
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MASTER_KEY, Shop, bugs_in, shop_of_two
from tests.support.wallet_http import OPERATOR, CountingEntropy, operator_only, services_of
from tests.unit.terminal.fakes import SeededEntropy

KEY = pseudonym_key(MASTER_KEY)
HOUR_MS = 3_600_000
ROUNDS = 4
"""What each device of the known fleet has said."""
DEVICES = "/operator/v1/risk/devices"


@dataclass
class Judged:
    """A shop whose devices say what they are made of, and the judge."""

    shop: Shop
    boots: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.readings = ReadingRepository(self.shop.reader)
        self.readers = {
            name: SimulatedReader(name, SeededEntropy(self.shop.first_id + number))
            for number, name in enumerate(["pos1", "pos2", *(f"till{n}" for n in range(8))])
        }
        self.judge = self.new_judge()

    def new_judge(self) -> DeviceJudge:
        """A backend that has just started."""
        services = services_of(self.shop)
        return DeviceJudge(
            submit=services.submit,
            run_read=services.run_read,
            repository=self.readings,
            case_clock=CaseClock(Calendar().is_business_day, 8 * HOUR_MS),
            clock=self.shop.clock,
            entropy=CountingEntropy(),
        )

    def attrs(self, name: str, **changed: Any) -> dict[str, Any]:
        """What a device reads of itself now."""
        self.boots[name] = self.boots.get(name, 0) + 1
        return {**self.readers[name].read(), "boot_count": self.boots[name], **changed}

    def say(self, name: str, attrs: dict[str, Any], request_id: str | None = None) -> DeviceRequest:
        """A signed request arrives."""
        self.shop.clock.at_ms += HOUR_MS
        request = self.shop.request(
            "device.fingerprint", {"attrs": attrs}, device=name, request_id=request_id
        )
        answer_type, _ = self.shop.do(KeepReading(request=request, key=KEY))
        assert answer_type == "pong"
        return request

    def standing(self, name: str) -> dict[str, Any]:
        asyncio.run(self.judge.run_due())
        row = self.readings.standing(name)
        assert row is not None
        return row

    def verdict(self, name: str, **changed: Any) -> str:
        """What is thought of one more reading."""
        self.say(name, self.attrs(name, **changed))
        return str(self.standing(name)["verdict"])


def make_known(found: Judged) -> None:
    for _ in range(ROUNDS):
        for name in found.readers:
            found.say(name, found.attrs(name))
    asyncio.run(found.judge.run_due())


@pytest.fixture
def both(migrated_url: str) -> Iterator[Judged]:
    with shop_of_two(migrated_url) as shop:
        yield Judged(shop)


@pytest.fixture(scope="module")
def known_fleet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The database of a fleet that is known, and its time."""
    path = tmp_path_factory.mktemp("known") / "backend.db"
    with shop_of_two(migrated_sqlite(path)) as shop:
        make_known(Judged(shop))
        return path, shop.clock.at_ms


@pytest.fixture
def known(tmp_path: Path, known_fleet: tuple[Path, int]) -> Iterator[Judged]:
    """A backend that has just started on that database."""
    path, at_ms = known_fleet
    for found in path.parent.iterdir():
        shutil.copy(found, tmp_path / found.name)
    shop = Shop(f"sqlite:///{tmp_path / path.name}", first_id=1_000)
    shop.clock.at_ms = at_ms
    found_fleet = Judged(shop)
    found_fleet.boots = dict.fromkeys(found_fleet.readers, ROUNDS)
    with capture_logs() as logs:
        yield found_fleet
    shop.close()
    assert not bugs_in(logs)


def test_a_reading_is_kept_once_judged_once_and_seen_by_the_next_payment(both: Judged) -> None:
    attrs = both.attrs("pos1")
    said = both.say("pos1", attrs)
    pending = both.readings.standing("pos1")
    assert pending is not None
    assert pending["verdict"] == ""
    assert isinstance(said.body, DeviceFingerprint)
    digest = said.body.digest
    facts = device_facts(pending, fingerprint=digest, now_ms=both.shop.clock.at_ms)
    assert (facts["device.verdict"], facts["device.binding"]) == (None, "pending")
    assert asyncio.run(both.judge.run_due()) == 1
    assert asyncio.run(both.judge.run_due()) == 0
    assert asyncio.run(both.new_judge().run_due()) == 0
    both.shop.clock.at_ms += 90_000
    facts = device_facts(
        both.readings.standing("pos1"), fingerprint=digest, now_ms=both.shop.clock.at_ms
    )
    assert facts == {
        "device.trust": 0.99, "device.verdict": "same", "device.reading_age_s": 90,
        "device.binding": "judged", "device.readings": 1,
    }  # fmt: skip
    both.say("pos1", attrs, request_id=said.request_id)  # a retry, not another reading
    assert len(both.readings.history("pos1")) == 1
    assert both.readings.accepted(after=(0, "", 0))[0]["tid"] == "pos1"
    assert both.readings.latest_accepted("pos1", before=2)[0]["number"] == 1


def test_what_is_not_known_of_a_device_is_unknown_and_never_good() -> None:
    facts = device_facts(None, fingerprint=b"", now_ms=0)
    assert (facts["device.trust"], facts["device.verdict"]) == (None, None)
    assert facts["device.binding"] == "none"
    assert device_facts(None, fingerprint=bytes(16), now_ms=0)["device.binding"] == "other"


def test_going_on_is_the_same_and_a_new_printer_is_drift(known: Judged) -> None:
    assert known.verdict("pos1") == Verdict.SAME
    assert known.verdict("pos1", printer_serial="PR-NEW") == Verdict.DRIFTED
    row = known.readings.history("pos1")[0]
    assert json.loads(row["changed"]) == ["printer_serial"]


def test_a_key_copied_to_another_board_is_a_clone_and_opens_a_case(known: Judged) -> None:
    stranger = SimulatedReader("elsewhere", SeededEntropy(99)).read()
    kept = {name: known.attrs("pos1")[name] for name in ("machine_id", "sd_cid", "rootfs_uuid")}
    known.say("pos1", {**stranger, **kept, "boot_count": 4})
    assert known.standing("pos1")["verdict"] == Verdict.CLONE
    cases = CaseRepository(known.shop.reader)
    found = known.shop.rows("SELECT case_id, subject_id, reason, severity FROM risk_case")
    assert [(row["subject_id"], row["reason"], row["severity"]) for row in found] == [
        ("pos1", "clone", "high")
    ]
    assert cases.events(found[0]["case_id"])[0]["event"] == "CaseOpened"
    assert known.verdict("pos1") == Verdict.SAME  # the device itself goes on


def test_the_same_reading_in_another_request_is_a_replay(known: Judged) -> None:
    attrs = known.attrs("pos2")
    known.say("pos2", attrs)
    assert known.standing("pos2")["verdict"] == Verdict.SAME
    assert known.verdict("pos2") == Verdict.SAME
    known.say("pos2", attrs)
    standing = known.standing("pos2")
    assert standing["verdict"] == Verdict.CLONE
    assert any(
        reason.startswith("reading_repeated")
        for reason in json.loads(known.readings.history("pos2")[0]["reasons"])
    )


def test_a_backend_that_starts_again_knows_what_it_knew(known: Judged) -> None:
    assert known.verdict("pos1") == Verdict.SAME
    assert known.verdict("pos1", cpu_serial="other", otp_hash="other") == Verdict.CLONE


def test_a_device_that_was_silent_for_long_is_looked_up_and_not_enrolled_anew(
    known: Judged,
) -> None:
    known.shop.clock.at_ms += 200 * 24 * HOUR_MS
    known.judge = known.new_judge()
    known.say("pos1", known.attrs("pos1"))
    standing = known.standing("pos1")
    assert standing["verdict"] == Verdict.SAME
    assert "not_enrolled" not in known.readings.history("pos1")[0]["reasons"]


def test_a_repaired_board_is_the_devices_own_when_a_person_says_so(known: Judged) -> None:
    repaired = SimulatedReader("repaired", SeededEntropy(5))
    known.readers["pos1"] = repaired
    assert known.verdict("pos1") == Verdict.CLONE
    number = known.readings.history("pos1")[0]["number"]
    command = AcceptReading(tid="pos1", number=number, by="李雷", words="换了主板")
    row = known.shop.do(command)
    assert known.shop.do(command) == row
    assert known.standing("pos1")["verdict"] == Verdict.DRIFTED
    assert known.verdict("pos1") == Verdict.SAME
    with pytest.raises(CallerError, match="reading_not_found"):
        known.shop.do(AcceptReading(tid="pos1", number=999, by="李雷", words="无"))


def test_a_device_that_talks_too_much_is_answered_and_not_kept(known: Judged) -> None:
    for _ in range(READINGS_PER_DEVICE_PER_DAY_MAX + 20):
        request = known.shop.request(
            "device.fingerprint", {"attrs": known.attrs("till1")}, device="till1"
        )
        known.shop.do(KeepReading(request=request, key=KEY))
    standing = known.readings.standing("till1")
    assert standing is not None
    assert standing["day_count"] == READINGS_PER_DEVICE_PER_DAY_MAX


def test_no_identifier_is_kept_but_every_comparison_can_still_be_made(known: Judged) -> None:
    raw = known.attrs("pos1")
    kept = known.shop.rows("SELECT attrs FROM device_reading")
    text = "\n".join(row["attrs"] for row in kept)
    for name in ("cpu_serial", "machine_id", "eth_mac", "sd_cid", "scanner_serial", "otp_hash"):
        assert str(raw[name]) not in text
    assert raw["kernel"] in text
    reading = plain_reading(raw)
    one, again = pseudonymous(reading, KEY), pseudonymous(reading, KEY)
    other = pseudonymous(reading, pseudonym_key(b"another"))
    assert one == again != other
    assert plain_reading(json.loads(to_text(one))) == one
    assert one["compute_ns"] == reading["compute_ns"]


def test_the_operator_sees_how_a_device_stands_and_accepts_a_reading(known: Judged) -> None:
    woken: list[bool] = []
    wake: Callable[[], None] = lambda: woken.append(True)  # noqa: E731  (one line, used here)
    app = FastAPI()
    add_routes(app, routes.operator_router(services_of(known.shop), operator_only, wake=wake))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=status_of(error))

    assert known.verdict("pos1", modules=["hide"], cmdline_hash="f00d") == Verdict.TAMPERED
    with TestClient(app, headers=OPERATOR) as http:
        seen = http.get(f"{DEVICES}/pos1").json()
        assert seen["verdict"] == "tampered"
        assert seen["readings"][0]["changed"] == ["cmdline_hash", "modules"]
        assert (seen["zh"], seen["en"]) == verdict_of("tampered")
        told = {(one["code"], one["attribute"]) for one in seen["readings"][0]["reasons"]}
        assert {("software_changed", "modules"), ("software_changed", "cmdline_hash")} <= told
        assert all(one["zh"] and one["en"] for one in seen["readings"][0]["reasons"])
        assert "attrs" not in seen["readings"][0]
        path = f"{DEVICES}/pos1/readings/{seen['readings'][0]['number']}/accept"
        accepted = http.post(path, json={"by": "李雷", "words": "自己改的"}).json()
        assert (accepted["accepted_by"], woken) == ("李雷", [True])
        assert http.get(f"{DEVICES}/nobody").status_code == 404
        assert http.get(f"{DEVICES}/pos1", headers={"authorization": ""}).status_code == 401


def verdict_of(code: str) -> tuple[str, str]:
    return VERDICTS[Verdict(code)]


def test_every_code_of_a_judgement_has_words_in_both_languages() -> None:
    assert set(VERDICTS) == set(Verdict)
    assert set(SIGNS) == {*Sign, NOT_ENROLLED}
    assert all(zh and en for zh, en in [*VERDICTS.values(), *SIGNS.values()])
    assert reason_words("counter_fell:boot_count")["attribute"] == "boot_count"


def test_a_reading_that_is_none_is_refused(known: Judged) -> None:
    for attrs in ({"x": 1.5}, {"x": {"y": 1}}, {"x": ["a", 1]}, {f"x{n}": 1 for n in range(65)}):
        with pytest.raises(CallerError, match="field_invalid"):
            known.shop.request("device.fingerprint", {"attrs": attrs})
