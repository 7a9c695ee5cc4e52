"""What has left once is never called unsent, whatever becomes of the line afterwards."""

import pytest

from backend.channels.iso8583 import management, messages
from backend.channels.iso8583.codec import Message
from backend.channels.ports import NotSentError
from backend.channels.unionpay import TerminalKey, UnionPay
from protocol.errors import OperatingError

TRACE = messages.Trace("1" * 8, "1" * 15, 1, 2, "", "")


class DyingLine:
    """Answers the first question *bad MAC*, as anybody could, and takes no other."""

    def __init__(self) -> None:
        self.asked = 0

    async def ask(self, question: Message, body: bytes) -> tuple[Message, bytes]:
        self.asked += 1
        if self.asked == 1:
            return Message("0210", {39: "A0"}), b""
        raise NotSentError("the line is down")


class Traces:
    async def next_number(self) -> messages.Trace:
        return TRACE


@pytest.mark.asyncio
async def test_a_line_that_dies_after_the_first_sending_leaves_the_outcome_unknown() -> None:
    line = DyingLine()
    channel = UnionPay(
        line=line,  # type: ignore[arg-type]  # a part of it
        traces=Traces(),  # type: ignore[arg-type]
        key=TerminalKey(b"0" * 16),
        clock=None,  # type: ignore[arg-type]
        files=None,  # type: ignore[arg-type]
    )
    channel._mac_key = b"1" * 8
    with pytest.raises(OperatingError) as raised:
        await channel._ask_in_session(management.echo(TRACE))
    assert not isinstance(raised.value, NotSentError)
    assert (raised.value.code, line.asked) == ("timeout", 2)
