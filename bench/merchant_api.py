"""A merchant's program and a payer, whole: order by API v3, paid in the wallet, told by callback.

``make bench ARGS=merchant-api``

The backend runs as a process of its own, on SQLite and then on PostgreSQL; this process is the
merchants' programs, their servers and the payers' wallets, and shares the two processors with it.
A payment's time runs from the signed order to its opened callback. The same run measures the engine
alone on the same database, and the signatures alone.

Settings that differ from the defaults: a payer may try 64 times a minute and pay without a PIN all
day, a page's calls are not limited by address, and callbacks go to this machine.
"""

import asyncio
import base64
import json
import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from itertools import count, cycle
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp
import uvloop
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from backend.merchant_api.keys.suites import SUITES
from bench.engine_kit import opened, payments, run_callers
from bench.result import Result
from bench.way_payers import Wallet, found_payers
from protocol.ids import ATTEMPT, RANDOM_BYTES, mint
from tests.support.postgres import NoServer, start_cluster
from tillway.demo.ports import HOST, Ports
from tillway.demo.stack import MERCHANT, OPERATOR_TOKEN, Stack
from tillway.merchant import KEY, SETTINGS, new

DIRECTORY = Path("var/bench/merchant-api")
PROGRAMS = 16
PAYERS = 400
PAYMENTS, WARM, ROUNDS = 600, 60, 3
ENGINE_CALLERS, ENGINE_PAYMENTS = 256, 10_240
SIGNATURES = 300
MESSAGE = b"a line of a call\n" * 18
DEADLINE_S = 60
BACKEND_EXTRA = {
    "risk_velocity_count_max": 64,
    "wallet": {"pin_free_day_count": 1_000, "pin_free_day_minor": 10**9},
}
_ORDER, _CONFIRM = "/v3/pay/transactions/native", "/wallet/v1/confirm"
_PAYMENT_AT = "pr="


@dataclass
class Program:
    """A merchant's program: signs its calls, and opens what its server is told."""

    base: str
    own: dict[str, Any]
    key: RSAPrivateKey
    session: aiohttp.ClientSession
    port: int = 0
    told: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    async def pay(self, wallet: Wallet) -> float:
        """One payment, whole; its time in seconds."""
        number = f"order-{next(self.numbers):09d}"
        self.told[number] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        async with asyncio.timeout(DEADLINE_S):
            made = await self._order(number)
            await self._confirm(wallet, made["code_url"].partition(_PAYMENT_AT)[2])
            await self.told[number]
        del self.told[number]
        return time.perf_counter() - began

    async def take(self, request: web.Request) -> web.Response:
        """A callback: opened with the APIv3 key, as a program must."""
        sealed = (await request.json())["resource"]
        plain = AESGCM(self.own["api_v3_key"].encode()).decrypt(
            sealed["nonce"].encode(),
            base64.b64decode(sealed["ciphertext"]),
            sealed["associated_data"].encode(),
        )
        waiting = self.told.get(json.loads(plain)["out_trade_no"])
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        return web.Response(status=204)

    async def _order(self, number: str) -> dict[str, Any]:
        wanted = {
            "appid": self.own["appid"],
            "mchid": self.own["mchid"],
            "description": "咖啡",
            "out_trade_no": number,
            "notify_url": f"http://{HOST}:{self.port}/notify",
            "amount": {"total": 1_280},
        }
        body = json.dumps(wanted).encode()
        headers = {"authorization": self._signed(body), "content-type": "application/json"}
        async with self.session.post(self.base + _ORDER, data=body, headers=headers) as answer:
            return await _checked(answer)

    async def _confirm(self, wallet: Wallet, payment_id: str) -> None:
        wanted = {"payment_id": payment_id, "attempt_id": _attempt_id(next(self.numbers))}
        headers = {"authorization": f"Bearer {wallet.token}"}
        url = self.base + _CONFIRM
        async with self.session.post(url, json=wanted, headers=headers) as answer:
            paid = await _checked(answer)
        if paid["state"] != "captured":
            raise RuntimeError(f"a payment is {paid['state']}: {paid.get('error')}")

    def _signed(self, body: bytes) -> str:
        at_s, nonce = int(time.time()), f"{time.perf_counter_ns():032d}"
        message = f"POST\n{_ORDER}\n{at_s}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64encode(self.key.sign(message, padding.PKCS1v15(), SHA256()))
        return (
            f'WECHATPAY2-SHA256-RSA2048 mchid="{self.own["mchid"]}",nonce_str="{nonce}",'
            f'signature="{signature.decode()}",timestamp="{at_s}",'
            f'serial_no="{self.own["serial_no"]}"'
        )


async def _checked(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {await answer.text()}")
    found: dict[str, Any] = await answer.json()
    return found


def _attempt_id(number: int) -> str:
    tail = number.to_bytes(RANDOM_BYTES, "big")
    return mint(ATTEMPT, time_ms=time.time_ns() // 1_000_000, random_bytes=tail)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of whole payments."""

    per_s: float
    times_ms: list[float]

    def p(self, percent: int) -> float:
        """A percentile of the payments' times."""
        return quantiles(self.times_ms, n=100, method="inclusive")[percent - 1]


def run(scale: float = 1.0) -> list[Result]:
    """All figures of the merchant interface."""
    found = [*_signatures(), *_measured("sqlite", "", scale)]
    try:
        cluster = start_cluster("max_connections=100")
    except NoServer as missing:
        print(f"merchant-api on PostgreSQL left out: {missing}")
        return found
    try:
        found += _measured("postgres", cluster.create_database("merchant_api"), scale)
    finally:
        cluster.stop()
    return found


def _measured(name: str, url: str, scale: float) -> list[Result]:
    with _backend(url) as (stack, wallets):
        rounds = uvloop.run(_rounds(stack, wallets, max(WARM, round(PAYMENTS * scale))))
    engine = _engine_alone(url, scale)
    per_s = median(one.per_s for one in rounds)
    what = f"order, wallet, callback; {PROGRAMS} at once, {name}"
    return [
        Result(f"api_native_{name}", per_s, "payments/s", what),
        Result(f"api_native_{name}_p50_ms", median(one.p(50) for one in rounds), "ms", what),
        Result(f"api_native_{name}_p99_ms", median(one.p(99) for one in rounds), "ms", what),
        Result(
            f"engine_vs_api_native_{name}",
            engine / per_s,
            "times",
            f"as many payments by the engine alone, {ENGINE_CALLERS} callers, {engine:,.0f}/s",
        ),
    ]


@contextmanager
def _backend(url: str) -> Iterator[tuple[Stack, list[Wallet]]]:
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    stack = Stack(DIRECTORY.absolute() / "state", Ports(), lambda _words: None)
    stack.backend_extra = BACKEND_EXTRA | ({"database_url": url} if url else {})
    try:
        stack.found_backend()
        wallets = found_payers(stack.backend_file, PAYERS)
        stack.start_core()
        token = stack.root / OPERATOR_TOKEN
        with redirect_stdout(StringIO()):  # what it prints is for people
            new(stack.public_url, stack.ca, token, DIRECTORY / "keys", MERCHANT)
        yield stack, wallets
    finally:
        stack.stop()


async def _rounds(stack: Stack, wallets: list[Wallet], number: int) -> list[Round]:
    trusted = ssl.create_default_context(cafile=str(stack.ca))
    connector = aiohttp.TCPConnector(ssl=trusted, limit=PROGRAMS)
    keys = DIRECTORY / "keys"
    key = load_pem_private_key((keys / KEY).read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    async with aiohttp.ClientSession(connector=connector) as session:
        own = json.loads((keys / SETTINGS).read_text("utf-8"))
        program = Program(stack.public_url, own, key, session)
        app = web.Application()
        app.router.add_post("/notify", program.take)
        runner = web.AppRunner(app, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        program.port = runner.addresses[0][1]
        payers = cycle(wallets)
        try:
            await _round(program, payers, WARM)
            return [await _round(program, payers, number) for _ in range(ROUNDS)]
        finally:
            await runner.cleanup()


async def _round(program: Program, payers: Iterator[Wallet], number: int) -> Round:
    """``PROGRAMS`` callers, each waiting for its callback before its next order."""
    left, times_ms = iter(range(number)), list[float]()

    async def caller() -> None:
        for _ in left:
            times_ms.append(1_000 * await program.pay(next(payers)))

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(PROGRAMS)))
    return Round(number / (time.perf_counter() - began), times_ms)


def _engine_alone(url: str, scale: float) -> float:
    with opened(url or f"sqlite:///{DIRECTORY.absolute() / 'engine.db'}") as (_, store):
        made = payments(max(ENGINE_CALLERS * 10, round(ENGINE_PAYMENTS * scale)))
        return run_callers(store, ENGINE_CALLERS, made).per_second


def _signatures() -> list[Result]:
    """What one call costs in signatures: the caller's is verified, the answer is signed."""
    found = []
    for name, suite in SUITES.items():
        key = suite.make_key()
        certificate = key.certify(None, subject="bench", serial=1, now_ms=time.time_ns() // 10**6)
        public, signature = suite.certificate_key(certificate), key.sign(MESSAGE)
        if not public.is_signed(signature, MESSAGE):
            raise RuntimeError(f"{name} does not verify its own signature")
        acts: dict[str, Callable[[], object]] = {
            "sign": partial(key.sign, MESSAGE),
            "verify": partial(public.is_signed, signature, MESSAGE),
        }
        for act, call in acts.items():
            what = f"a message of {len(MESSAGE)} bytes, {suite.scheme}"
            found.append(Result(f"api_{act}_{name}_us", _each_us(call), "µs", what))
    return found


def _each_us(call: Callable[[], object]) -> float:
    times = []
    for _ in range(SIGNATURES):
        began = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - began) / 1_000)
    return median(times)
