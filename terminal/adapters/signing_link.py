"""A link that has each envelope signed by a device before it leaves.

Rule 1: envelopes leave in the order they came, one signature at a time.
Rule 2: what cannot be signed is reported undelivered, as what cannot be sent: the agent tries
again by its own rules, with a new envelope.
"""

import asyncio
from dataclasses import replace

import structlog

from protocol.errors import TillwayError
from terminal.adapters.limits import SIGNATURES_WAITING_MAX
from terminal.effects import Transmit
from terminal.inputs import Undelivered
from terminal.ports import DeviceKey
from terminal.uplink import Deliver, UplinkPort

log = structlog.get_logger("terminal")


class SigningLink:
    """``UplinkPort`` around another one: has each envelope signed by the device with the key."""

    def __init__(self, link: UplinkPort, key: DeviceKey) -> None:
        self._link = link
        self._key = key
        self._waiting: asyncio.Queue[Transmit] = asyncio.Queue(SIGNATURES_WAITING_MAX)
        self._deliver: Deliver | None = None

    async def run(self, deliver: Deliver) -> None:
        """As ``UplinkPort.run``."""
        self._deliver = deliver
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._link.run(deliver), name="signed-link")
                group.create_task(self._sign_all(), name="envelope-signer")
        finally:
            self._deliver = None

    def transmit(self, parcel: Transmit) -> None:
        """As ``UplinkPort.transmit``."""
        try:
            self._waiting.put_nowait(parcel)
        except asyncio.QueueFull:
            self._give_back(parcel, "busy")

    def try_other_hub(self) -> None:
        """As ``UplinkPort.try_other_hub``."""
        self._link.try_other_hub()

    async def _sign_all(self) -> None:
        while True:
            parcel = await self._waiting.get()
            if parcel.draft is None:
                self._link.transmit(parcel)
                continue
            try:
                signature = await self._key.sign(parcel.draft.message)
            except TillwayError as error:
                self._give_back(parcel, error.code)
            else:
                self._link.transmit(replace(parcel, sealed=parcel.draft.signed(signature)))

    def _give_back(self, parcel: Transmit, code: str) -> None:
        log.warning("envelope_not_signed", request_id=parcel.request_id, code=code)
        if self._deliver is not None:
            self._deliver(Undelivered(parcel.request_id))
