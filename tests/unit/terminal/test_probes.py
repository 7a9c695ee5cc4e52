"""Goal: what a probe prints of a scanned code pays nothing."""

import asyncio

import pytest

from terminal.probes import _scanned


class _Scanner:
    """Reads one code."""

    def __init__(self, code: str) -> None:
        self._code = code
        self.is_closed = False

    async def scan(self, timeout_s: float) -> str:
        """At once."""
        del timeout_s
        return self._code

    async def aclose(self) -> None:
        """Remember it."""
        self.is_closed = True


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("134567890123456789", "13****…6789"),
        ("2812345678901234", "28****…1234"),
        ("6212345678901234567", "62****…4567"),
        ("281234567890123456789012", "28****…9012"),
        ("TILLWAY-TORTURE", "TILLWAY-TORTURE"),
        ("6901234567", "6901234567"),
    ],
)
def test_no_wallet_s_pay_code_is_printed_whole(code: str, shown: str) -> None:
    scanner = _Scanner(code)
    assert asyncio.run(_scanned(scanner, 1)) == {"code": shown}
    assert scanner.is_closed
