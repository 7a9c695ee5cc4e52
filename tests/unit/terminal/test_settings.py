"""Settings from afar: checked, tried out, kept or taken back, and told."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol import envelope
from protocol.errors import CallerError
from protocol.messages import DeviceSettings
from protocol.settings import SETTINGS, check_settings
from terminal.adapters.memory_link import MemoryLink
from terminal.adapters.system import SystemClock, SystemEntropy
from terminal.agent import Agent
from terminal.domain.settings import TRANSITIONS, SettingsState, SettingsStep, Standing
from terminal.effects import TrySettings
from terminal.inputs import LinkDown, LinkUp, SettingsTried, StartSale
from terminal.journal.store import Journal
from terminal.limits import SETTINGS_REPORT_GAP_MS, SETTINGS_TRIAL_MS
from terminal.shell import Shell, ShellPorts
from terminal.slip import receipt_bytes
from tests.kit.patience import PATIENCE_S
from tests.support.tills import FakeBackend
from tests.unit.terminal.fakes import DEVICE_KEY, HUB_KEY, TID, Bench, opened, profile, sign, trust

REPORT = "device.settings"


def wanted(bench: Bench, version: int, **values: Any) -> None:
    bench.answer(sign("settings.wanted", {"version": version, "values": values}))


def said(bench: Bench) -> DeviceSettings:
    """The terminal's last report."""
    return DeviceSettings.from_map(opened(bench.sent_of(REPORT)[-1]).body)


def tried(bench: Bench) -> list[int]:
    return [effect.version for effect in bench.others if isinstance(effect, TrySettings)]


def test_the_table_is_whole_and_what_is_not_in_it_is_refused() -> None:
    for state in SettingsState:
        for step in SettingsStep:
            standing = Standing(state=state, trial_version=7)
            works: dict[SettingsStep, Callable[[Standing], Standing]] = {
                SettingsStep.OFFER: lambda one: one.offered(8, {}),
                SettingsStep.REFUSE: lambda one: one.refused(8, CallerError("setting_unknown")),
                SettingsStep.CONFIRM: lambda one: one.confirmed(),
                SettingsStep.FAIL: lambda one: one.failed("setting_trial_failed"),
            }
            work = works[step]
            edge = TRANSITIONS.get((state, step))
            if edge is None:
                with pytest.raises(CallerError):
                    work(standing)
            else:
                assert work(standing).state is edge.state


def test_a_line_that_comes_up_is_told_every_setting_as_it_is() -> None:
    bench = Bench()
    report = said(bench)
    assert (report.version, report.outcome, set(report.values)) == (0, "confirmed", set(SETTINGS))
    assert report.values["language"] == "zh"
    assert report.values["idle_lock_s"] == 120


def test_settings_are_in_force_at_once_and_kept_after_the_trial(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db")
    wanted(bench, 1, receipt_footer_en="Thank you", amount_minor_max=5_000)
    assert tried(bench) == [1]
    assert (said(bench).outcome, said(bench).version) == ("trying", 1)
    with pytest.raises(CallerError, match="amount_invalid"):
        bench.feed(StartSale(amount_minor=5_001, currency="CNY"))
    bench.feed(SettingsTried(1, None))
    bench.wait(SETTINGS_TRIAL_MS)
    assert (said(bench).outcome, said(bench).version) == ("confirmed", 1)
    bench.power_cut()
    bench.boot()
    assert (said(bench).outcome, said(bench).version) == ("confirmed", 1)
    assert bench.agent.profile.receipt_footer_en == "Thank you"


@pytest.mark.parametrize(
    ("values", "code", "detail"),
    [
        ({"idle_lock": 60}, "setting_unknown", "idle_lock_s"),
        ({"idle_lock_s": 5}, "setting_invalid", "from 30 to 3600"),
        ({"sound": 1}, "setting_invalid", "true or false"),
        ({"methods": ["pay_code", "pay_code"]}, "setting_invalid", "merchant_qr"),
        ({"receipt_footer_zh": "\x1b@"}, "setting_invalid", "printable"),
        ({"methods": ["mandate"]}, "setting_unfit", "no mandate"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(
    values: dict[str, Any], code: str, detail: str
) -> None:
    bench = Bench()
    wanted(bench, 1, **values)
    report = said(bench)
    assert (report.version, report.wanted_version, report.outcome) == (0, 1, "refused")
    assert report.code == code
    assert detail in report.detail
    assert tried(bench) == []


def test_settings_that_a_device_cannot_work_with_are_taken_back() -> None:
    bench = Bench()
    wanted(bench, 1, language="en")
    bench.feed(SettingsTried(1, None))
    bench.wait(SETTINGS_TRIAL_MS)
    wanted(bench, 2, language="en", biometric_above_minor=100)
    bench.feed(SettingsTried(2, "setting_unfit", "no fingerprint sensor"))
    report = said(bench)
    assert (report.version, report.wanted_version, report.outcome) == (1, 2, "rolled_back")
    assert (report.values["language"], report.values["biometric_above_minor"]) == ("en", None)
    wanted(bench, 2, language="en", biometric_above_minor=100)
    assert tried(bench) == [1, 2]  # a version is looked at once


def test_a_restart_in_the_trial_takes_it_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db")
    wanted(bench, 1, language="en")
    bench.feed(SettingsTried(1, None))
    bench.wait(SETTINGS_TRIAL_MS - 1)
    bench.power_cut()
    bench.boot()
    report = said(bench)
    assert (report.version, report.outcome, report.code) == (0, "rolled_back", "setting_trial_cut")
    assert bench.agent.profile.language == "zh"


def test_a_newer_version_in_the_trial_has_a_trial_of_its_own() -> None:
    bench = Bench()
    wanted(bench, 1, language="en")
    bench.feed(SettingsTried(1, None))
    bench.wait(SETTINGS_TRIAL_MS - 1)
    wanted(bench, 2, sound=False)
    bench.feed(SettingsTried(1, "setting_trial_failed"))  # the word on the first came late
    bench.wait(1)
    assert (said(bench).version, said(bench).outcome) == (2, "trying")
    assert bench.agent.profile.language == "zh"


@pytest.mark.parametrize("is_tried_before", [True, False])
def test_a_newer_version_that_is_refused_in_the_trial_leaves_the_trial_to_its_end(
    tmp_path: Path, *, is_tried_before: bool
) -> None:
    bench = Bench(tmp_path / "journal.db")
    wanted(bench, 1, amount_minor_max=5_000)
    if is_tried_before:
        bench.feed(SettingsTried(1, None))
    wanted(bench, 2, idle_lock_s=5)
    if not is_tried_before:
        bench.feed(SettingsTried(1, None))
    bench.wait(SETTINGS_TRIAL_MS)
    bench.power_cut()
    bench.boot()
    report = said(bench)
    assert (report.version, bench.agent.profile.amount_minor_max) == (1, 5_000), "kept"
    told = (report.wanted_version, report.outcome, report.code)
    assert told == (2, "refused", "setting_invalid")


def test_the_failure_of_a_trial_says_nothing_of_a_newer_version_that_was_refused() -> None:
    bench = Bench()
    wanted(bench, 1, amount_minor_max=5_000)
    wanted(bench, 2, idle_lock_s=5)
    bench.feed(SettingsTried(1, "setting_trial_failed"))
    report = said(bench)
    assert report.version == 0
    told = (report.wanted_version, report.outcome, report.code)
    assert told == (2, "refused", "setting_invalid")


def test_nobody_but_the_backend_sets_anything() -> None:
    bench = Bench()
    body = {"version": 1, "values": {"language": "en"}}
    bench.answer(sign("settings.wanted", body, key=HUB_KEY))
    assert bench.agent.refused_answers["signature_invalid"] == 1
    assert bench.agent.profile.language == "zh"


def test_a_report_that_nobody_answers_is_made_anew_and_only_while_the_line_is_up() -> None:
    bench = Bench()
    bench.wait(SETTINGS_REPORT_GAP_MS)
    assert [said(bench).number, len(bench.sent_of(REPORT))] == [2, 2]
    wanted(bench, 0)
    bench.wait(5 * SETTINGS_REPORT_GAP_MS)
    assert len(bench.sent_of(REPORT)) == 2
    bench.feed(LinkDown())
    wanted(bench, 1, language="en")
    assert len(bench.sent_of(REPORT)) == 2
    bench.feed(LinkUp())
    assert (said(bench).number, said(bench).outcome) == (3, "trying")


def test_the_twentieth_report_that_nobody_answers_writes_no_more_rows_than_the_second() -> None:
    bench = Bench()

    def rows_written() -> int:
        before = bench.journal.database.total_changes
        bench.wait(SETTINGS_REPORT_GAP_MS)
        return bench.journal.database.total_changes - before

    second = rows_written()
    assert second > 0
    assert [rows_written() for _ in range(18)] == [second] * 18


def test_a_machine_whose_own_file_lost_the_mandate_goes_back_to_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    bench = Bench(path, mandate_id="mdt_1")
    wanted(bench, 1, methods=["mandate"])
    bench.feed(SettingsTried(1, None))
    bench.wait(SETTINGS_TRIAL_MS)
    bench.power_cut()
    bench.profile = profile()
    bench.boot()
    report = said(bench)
    assert (report.version, report.outcome, report.code) == (0, "rolled_back", "setting_unfit")
    assert report.values["methods"] == ["pay_code", "merchant_qr"]


def test_every_setting_is_checked_by_its_own_bounds() -> None:
    assert check_settings({"sound": True, "methods": ["pay_code"]}) == {
        "methods": ["pay_code"], "sound": True,
    }  # fmt: skip
    for name in SETTINGS:
        with pytest.raises(CallerError, match=name):
            check_settings({name: {"no": "value"}})


@pytest.mark.asyncio
@pytest.mark.parametrize("breaks", [True, False])
async def test_a_receipt_that_cannot_be_made_takes_them_back(
    tmp_path: Path, *, breaks: bool
) -> None:
    clock = SystemClock()
    journal = Journal(tmp_path / "journal.db", tid=TID, now_ms=clock.now_ms())
    agent = Agent(
        profile=profile(), key=DEVICE_KEY, trust=trust(), journal=journal, clock=clock,
        entropy=SystemEntropy(),
    )  # fmt: skip
    backend = SettingBackend({"receipt_footer_en": "Bye"})

    def render(facts: Any) -> bytes:
        if breaks and facts.get("footer_en") == "Bye":
            raise UnicodeError("no such letter on this paper")
        return receipt_bytes(facts)

    shell = Shell(ShellPorts(agent=agent, link=MemoryLink(backend), clock=clock, render=render))
    task = asyncio.create_task(shell.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await backend.outcomes.get() == "confirmed"
            assert await backend.outcomes.get() == "trying"
            if breaks:
                assert await backend.outcomes.get() == "rolled_back"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()
    assert agent.profile.receipt_footer_en == ("" if breaks else "Bye")


class SettingBackend(FakeBackend):
    """Wants version 1 of whoever reports."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__()
        self.values = values
        self.outcomes: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, data: bytes) -> list[bytes]:
        asked = envelope.unseal(data).envelope
        if asked.message_type != REPORT:
            return super().__call__(data)
        self.outcomes.put_nowait(asked.body["outcome"])
        body = {"version": 1, "values": self.values}
        return [sign("settings.wanted", body, request_id=asked.request_id)]


def test_a_receipt_ends_with_the_shops_own_lines() -> None:
    facts = {
        "kind": "paid", "merchant_zh": "小店", "merchant_en": "Shop", "till": "1", "at_ms": 0,
        "payment_id": "pay_1", "amount_minor": 100, "currency": "CNY", "method": "pay_code",
    }  # fmt: skip
    plain = receipt_bytes(facts)
    assert "谢谢惠顾".encode("gb18030") not in plain
    with_footer = receipt_bytes({**facts, "footer_zh": "谢谢惠顾", "footer_en": "Thank you"})
    assert with_footer.index("谢谢惠顾".encode("gb18030")) < with_footer.index(b"Thank you")
