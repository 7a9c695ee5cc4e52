"""A running backend, a payer with money, a merchant's program with its keys, and its server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from backend.wallet.desk import WalletDesk
from backend.wallet.schemas import Confirmation
from protocol.crypto import SigningKey, generate
from tests.kit.patience import PATIENCE_S
from tests.support.backend import MERCHANT, Served, a_merchant, mint, served
from tests.support.shop import confirmed_top_up
from tillway.demo.addresses import STACK_FILE
from tillway.demo.phone import Phone
from tillway.demo.phone_book import keep_phone
from tillway.json_api import JsonApi
from tillway.merchant import KeyMode, new

PAYER, PIN = mint("pyr", 1), "482913"


@dataclass
class MerchantServer:
    """Takes callbacks as the merchant's program would, and keeps what came."""

    got: "asyncio.Queue[tuple[dict[str, str], str]]" = field(default_factory=asyncio.Queue)
    port: int = 0
    answer: str = ""
    """What it says besides that it has it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notify"

    async def next(self) -> tuple[dict[str, str], str]:
        """The headers and the body of the next callback."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.got.get()

    async def take(self, request: web.Request) -> web.Response:
        self.got.put_nowait((dict(request.headers), (await request.read()).decode()))
        if self.answer:
            return web.Response(text=self.answer, content_type="text/xml")
        return web.Response(status=204)


@dataclass
class MerchantWorld:
    """What a scenario needs."""

    served: Served
    server: MerchantServer
    keys: Path
    ca: Path
    wallet: WalletDesk
    token: str
    payer_key: SigningKey
    payer: dict[str, Any]
    """What the wallet was told when it was made."""

    @property
    def url(self) -> str:
        return self.served.url("public")

    @property
    def own(self) -> dict[str, str]:
        """What ``tillway merchant new`` has written down."""
        found: dict[str, str] = json.loads((self.keys / "merchant.json").read_text())
        return found

    def key_file(self, name: str) -> str:
        return (self.keys / name).read_text()

    def leave_phone(self, directory: Path) -> None:
        """The payer's telephone, where ``tillway phone`` looks for it."""
        phone = Phone(
            payer_id=PAYER,
            name="Li Na",
            api=JsonApi(self.url, self.ca, self.payer["token"]),
            key=self.payer_key,
            pin=PIN,
            code_secret=bytes.fromhex(self.payer["code_secret"]),
            code_route=int(self.payer["code_route"]),
        )
        directory.mkdir()
        keep_phone(directory, phone)
        addresses = {"public_url": self.url, "ca": str(self.ca), "tills": {}}
        (directory / STACK_FILE).write_text(json.dumps(addresses))

    async def pay(self, code_url: str, number: int = 1) -> dict[str, Any]:
        """The payer scans and confirms."""
        shown = await self.wallet.scan(PAYER, code_url)
        word = {"payment_id": shown["payment_id"], "attempt_id": mint("att", number), "pin": PIN}
        return await self.wallet.confirm(PAYER, Confirmation.model_validate(word))

    async def run(self, call: Callable[[], Any]) -> Any:
        """A blocking client's call, beside the loop that answers it."""
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.to_thread(call)


@asynccontextmanager
async def merchant_world(
    directory: Path, key_mode: KeyMode = KeyMode.PUBLIC_KEY
) -> AsyncIterator[MerchantWorld]:
    """A merchant of the backend has its keys from the command line, its payer a hundred yuan."""
    server = MerchantServer()
    app = web.Application()
    app.router.add_post("/notify", server.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        async with served(
            directory,
            callbacks_to_private_addresses=True,
            merchant_api={"refund_gap_s": 0, "share_after_s": 0},
        ) as (found, token):
            await found.backend.writer.submit(a_merchant())
            payer_key = generate()
            wallet = WalletDesk(found.backend.services)
            payer = await wallet.create_payer(
                payer_id=PAYER,
                name="Li Na",
                pin=PIN,
                key_suite="SM2-SM3",
                key_public=payer_key.public.public,
            )
            for command in confirmed_top_up(mint("top", 1), PAYER, 10_000):
                await found.backend.writer.submit(command)
            ca, token_file = directory / "ca.pem", directory / "token"
            ca.write_text(found.backend.state.identity.tls.ca_pem)
            token_file.write_text(token)
            keys = directory / "keys"
            await asyncio.to_thread(
                lambda: new(found.url("public"), ca, token_file, keys, MERCHANT, key_mode=key_mode)
            )
            yield MerchantWorld(found, server, keys, ca, wallet, token, payer_key, payer)
    finally:
        await runner.cleanup()
