"""The training till: nothing of it leaves the device."""

import asyncio
from pathlib import Path

import pytest

from tests.kit.patience import PATIENCE_S
from tests.support.tills import CASHIER_PIN, hire_both, running_till
from tests.unit.terminal.fakes import CODE


@pytest.mark.asyncio
async def test_training_leaves_nothing_behind_and_never_leaves_the_device(tmp_path: Path) -> None:
    async with running_till(tmp_path) as till:
        hire_both(till.people)
        await till.counter.sign_in.sign_in(2, CASHIER_PIN)
        headers = {"authorization": f"Bearer {till.token}", "x-station": "training"}
        for amount_minor, kind in ((500, "paid"), (501, "declined"), (502, "waiting")):
            body = {"amount_minor": amount_minor}
            for path, sent in (("sales", body), ("sales/current/code", {"code": CODE})):
                url = f"{till.base}/api/{path}"
                async with till.client.post(url, json=sent, headers=headers) as answer:
                    assert answer.status == 200
            url = f"{till.base}/api/screen"
            async with till.client.get(url, headers=headers) as answer:
                assert (await answer.json())["kind"] == kind
            till.counter.sign_in.train(is_training=True)
            shown = await till.payer_reads()
            assert "TRAINING 培训: do not pay" in shown
            assert f"{amount_minor / 100:.2f}" in shown
            if kind != "waiting":
                url = f"{till.base}/api/sales/current/dismiss"
                await till.client.post(url, json={}, headers=headers)
        async with asyncio.timeout(PATIENCE_S):
            while len(till.printer.receipts) < 2:  # noqa: ASYNC110  # the printer has no event
                await asyncio.sleep(0.01)
        assert all("培训".encode("gb18030") in paper for paper in till.printer.receipts)
        assert "payment.create" not in till.backend.seen
        assert await till.get("api/payments") == []
