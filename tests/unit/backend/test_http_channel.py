"""What counts as a channel's word over HTTP, and what leaves the outcome unknown."""

import asyncio
import json
from datetime import date
from typing import Any

import pytest

from backend.channels.facts import DEFAULT_FACTS
from backend.channels.http_channel import HttpChannel
from backend.channels.institution import Institution
from backend.channels.limits import ANSWER_TEXT_CHARS_MAX, CONNECTIONS_PER_LINE_MAX
from backend.channels.model import ChannelAnswer, PayOrder, RefundOrder
from backend.channels.ports import NotSentError
from backend.detail import detail_text, printable
from protocol.crypto.keys import generate
from protocol.errors import OperatingError
from protocol.money import Money

GOOD = {
    "order_id": "pay_1",
    "state": "succeeded",
    "reason": "",
    "reference": "R" * ANSWER_TEXT_CHARS_MAX,
    "day": "2026-10-01",
}
PAY = PayOrder("pay_1", "tok_card", Money(1, "CNY"))
REFUND = RefundOrder("pay_1", "pay_0", Money(1, "CNY"))
WITHIN_S = 8


class Says:
    """An institution whose signed answer is this."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def ask(self, _method: str, _path: str, _body: bytes = b"", *, line: str) -> bytes:
        assert line == "/card"
        return self.content


def channel(answer: dict[str, Any] | bytes) -> HttpChannel:
    content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return HttpChannel(Says(content), prefix="/card", facts=DEFAULT_FACTS["NUCC"])  # type: ignore[arg-type]


@pytest.mark.asyncio
async def test_a_word_about_what_was_asked_is_the_answer() -> None:
    expected = ChannelAnswer("pay_1", "succeeded", "", GOOD["reference"], "2026-10-01")
    assert await channel(GOOD).pay(PAY) == expected
    assert await channel(GOOD).query(PAY) == expected


@pytest.mark.parametrize(
    "answer",
    [
        GOOD | {"order_id": "pay_2"},
        GOOD | {"state": "perhaps"},
        GOOD | {"reference": "R" * (ANSWER_TEXT_CHARS_MAX + 1)},
        GOOD | {"reason": "r" * (ANSWER_TEXT_CHARS_MAX + 1)},
        GOOD | {"reference": "a\x00b"},
        GOOD | {"reason": "\ud800"},
        GOOD | {"day": "tomorrow"},
        GOOD | {"reference": None},
        b"[" * 100_000,
        b"\xff",
    ],
)
@pytest.mark.asyncio
async def test_any_other_word_leaves_the_outcome_unknown(answer: Any) -> None:
    with pytest.raises(OperatingError, match="makes no sense"):
        await channel(answer).pay(PAY)


@pytest.mark.asyncio
async def test_an_end_that_the_question_cannot_have_leaves_it_unknown() -> None:
    with pytest.raises(OperatingError, match="makes no sense"):
        await channel(GOOD).reverse(PAY)
    gone_back = GOOD | {"state": "reversed"}
    assert (await channel(gone_back).reverse(PAY)).state == "reversed"
    with pytest.raises(OperatingError, match="makes no sense"):
        await channel(gone_back).refund(REFUND)
    with pytest.raises(OperatingError, match="makes no sense"):
        await channel(gone_back).query_refund(REFUND)


@pytest.mark.asyncio
async def test_without_a_connection_nothing_was_sent_and_a_broken_one_leaves_it_unknown() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    institution = Institution(
        url=f"http://127.0.0.1:{port}", key=generate("ES256"), peer=generate("ES256").public
    )
    card = HttpChannel(institution, prefix="/card", facts=DEFAULT_FACTS["NUCC"])
    with pytest.raises(OperatingError) as unknown:
        await card.pay(PAY)
    assert not isinstance(unknown.value, NotSentError)
    server.close()
    await server.wait_closed()
    with pytest.raises(NotSentError):
        await card.pay(PAY)
    await institution.close()


@pytest.mark.asyncio
async def test_a_line_whose_calls_all_hang_holds_up_no_other_line() -> None:
    is_full, hanging = asyncio.Event(), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readline()
        if b"/fund" in request:
            hanging.append(writer)
            if len(hanging) == CONNECTIONS_PER_LINE_MAX:
                is_full.set()
            return
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    institution = Institution(
        url=f"http://127.0.0.1:{port}", key=generate("ES256"), peer=generate("ES256").public
    )
    fund, card = (
        HttpChannel(institution, prefix=name, facts=DEFAULT_FACTS["NUCC"])
        for name in ("/fund", "/card")
    )
    calls = [
        asyncio.create_task(fund.settle(date(2026, 10, 1)))
        for _ in range(CONNECTIONS_PER_LINE_MAX + 1)
    ]
    try:
        async with asyncio.timeout(WITHIN_S):
            await is_full.wait()
            with pytest.raises(OperatingError, match="the institution refuses"):
                await card.settle(date(2026, 10, 1))
    finally:
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await institution.close()
        for writer in hanging:
            writer.close()
        server.close()


def test_a_detail_is_cut_until_it_fits_and_stays_json() -> None:
    words = {"reason": '"' * 500, "reference": "长" * 300, "amount_minor": 7}
    text = detail_text(words, chars_max=400)
    assert len(text) <= 400
    told = json.loads(text)
    assert told["amount_minor"] == 7
    assert told["reason"]
    assert told["reference"]
    assert detail_text({"why": "a\x00\ud800b"}, chars_max=400) == '{"why":"a??b"}'
    assert printable("abc", chars_max=2) == "ab"
