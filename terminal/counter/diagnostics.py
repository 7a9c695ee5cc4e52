"""Asking the till's parts how they are, from its page."""

import asyncio

from protocol.errors import CallerError, OperatingError, from_code
from terminal.limits import SCAN_TEST_S
from terminal.shell import ShellPorts


class Diagnostics:
    """One test at a time."""

    def __init__(self, ports: ShellPorts) -> None:
        self._ports = ports
        self._testing = asyncio.Lock()

    async def run(self, what: str) -> dict[str, object]:
        """What a part says of itself; its own error where it does not."""
        if self._testing.locked():
            raise OperatingError("busy")
        async with self._testing:
            match what:
                case "printer":
                    return await self._printer()
                case "scanner":
                    return await self._scanner()
                case "pinpad":
                    return await self._pinpad()
                case "link":
                    return self._link()
        raise CallerError("field_invalid", "what")

    async def _printer(self) -> dict[str, object]:
        printer = self._ports.printer
        if printer is None:
            raise OperatingError("device_disconnected")
        profile = self._ports.agent.profile
        status = await printer.status()
        await printer.print(
            self._ports.render(
                {
                    "kind": "test",
                    "merchant_zh": profile.merchant_zh,
                    "merchant_en": profile.merchant_en,
                    "till": profile.till,
                    "at_ms": self._ports.clock.now_ms(),
                }
            )
        )
        return {"paper": status.paper, "is_online": status.is_online}

    async def _scanner(self) -> dict[str, object]:
        scanner = self._ports.scanner
        if scanner is None:
            raise OperatingError("device_disconnected")
        if self._ports.agent.current() is not None:
            raise CallerError("payment_state", "a sale is on the screen")
        code = await scanner.scan(SCAN_TEST_S)
        return {"characters": len(code), "ends": code[-2:]}

    async def _pinpad(self) -> dict[str, object]:
        if self._ports.pinpad is None:
            raise OperatingError("device_disconnected")
        await self._ports.pinpad.check()
        return {"is_free": True}

    def _link(self) -> dict[str, object]:
        agent = self._ports.agent
        if not agent.is_link_up:
            trouble = agent.screen().link_trouble
            raise from_code(trouble.code if trouble else "hub_unreachable")
        return {"is_link_up": True, "is_hub_online": agent.is_hub_online}
