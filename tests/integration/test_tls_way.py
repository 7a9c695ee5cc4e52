"""The whole way under either TLS profile: terminal, hub and backend as they run, and what the wires
between them show. The backend and the hub are programs of their own; the terminal is its real link.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.way_payers import Wallet, found_payers
from bench.way_till import Ask, Till
from protocol import answers
from protocol.identity import Identity, TlsProfileName
from terminal.adapters.mqtt_link import MqttLink, MqttPlace
from terminal.effects import Transmit
from terminal.inputs import AnswerArrived, LinkInput, LinkUp
from tests.kit.patience import PATIENCE_S
from tests.kit.recorder import Recorder
from tests.kit.tls_wire import (
    CURVE_SM2_MLKEM768,
    TLS_1_3,
    TLS_AES_128_GCM_SHA256,
    TLS_SM4_GCM_SM3,
    X25519_MLKEM768,
    Agreed,
    agreed,
)
from tillway.demo.ports import HOST, Ports
from tillway.demo.stack import HUB, MERCHANT, STORE, Stack
from transport.contexts import ClientTls
from transport.machine import TlsError

AGREED: dict[TlsProfileName, Agreed] = {
    "p256": Agreed(TLS_1_3, TLS_AES_128_GCM_SHA256, X25519_MLKEM768),
    "sm": Agreed(TLS_1_3, TLS_SM4_GCM_SM3, CURVE_SM2_MLKEM768),
}
OTHER: dict[TlsProfileName, TlsProfileName] = {"p256": "sm", "sm": "p256"}


class Shop(Stack):
    """Backend and hub with nobody beside them; the hub reaches its backend by another port."""

    backend_by: int = 0

    def found(self) -> tuple[Identity, list[Wallet]]:
        self.found_backend()
        wallets = found_payers(self.backend_file, 2)
        self._start("backend", "backend", "run", "--config", str(self.backend_file))
        merchant = {"merchant_id": MERCHANT, "name": "A shop", "payout_bank": "B",
                    "payout_account_name": "A", "payout_account_no": "1"}  # fmt: skip
        self.operator.post("/operator/v1/merchants", merchant)
        store = {"store": STORE, "merchant_id": MERCHANT, "name": "A shop"}
        self.operator.post("/operator/v1/stores", store)
        self.enrol(HUB, "hub", hub_names=[HOST])
        return self.enrol("pos-1", "terminal"), wallets

    def start_hub(self) -> None:
        self._start(HUB, "hub", "run", "--config", str(self._write(HUB, self._hub_settings())))

    def _hub_settings(self) -> dict[str, Any]:
        url = f"https://{HOST}:{self.backend_by}"
        return {**super()._hub_settings(), "backend": {"url": url}, "coap": {"enabled": False}}


@pytest.fixture(params=list(AGREED))
def profile(request: pytest.FixtureRequest) -> TlsProfileName:
    found: TlsProfileName = request.param
    return found


@pytest.fixture
def shop(tmp_path: Path, profile: TlsProfileName) -> Iterator[Shop]:
    made = Shop(tmp_path / "state", Ports(), lambda _words: None, tls_profile=profile)
    yield made
    made.stop()


async def paid(place: MqttPlace, ask: Ask) -> answers.Answer:
    """Pay through the terminal's own link; the answer."""
    link, heard = MqttLink(place), asyncio.Queue[LinkInput]()
    running = asyncio.ensure_future(link.run(heard.put_nowait))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(await heard.get(), LinkUp):
                pass
            parcel = Transmit(
                request_id=ask.request_id,
                message_type="payment.create",
                sealed=ask.sealed,
                expiry_s=30,
            )
            link.transmit(parcel)
            while not isinstance(said := await heard.get(), AnswerArrived):
                pass
            return answers.unseal(said.data).answer
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.asyncio
async def test_a_payment_goes_the_whole_way_and_both_wires_show_the_profile_and_no_word_of_it(
    shop: Shop, profile: TlsProfileName
) -> None:
    identity, wallets = await asyncio.to_thread(shop.found)
    async with Recorder(shop.programs["backend"].port("hub")) as upper:
        shop.backend_by = upper.port
        await asyncio.to_thread(shop.start_hub)
        async with Recorder(shop.programs[HUB].port("mqtt")) as lower:
            till = Till(identity, MERCHANT)
            till.serve(wallets)
            till.sign(1_280)
            tls = ClientTls(identity.tls_of(profile))
            place = MqttPlace(host=HOST, port=lower.port, tid="pos-1", store=STORE, boot_epoch=1,
                              software="test", tls=tls)  # fmt: skip
            answer = await paid(place, till.asks[0])
        await refused_with(shop, identity, OTHER[profile])
        shop.stop()
    assert (answer.body["state"], answer.body["amount_minor"]) == ("captured", 1_280)
    for wire in (lower, upper):
        streams = [bytes(stream) for stream in wire.from_server if stream]
        assert streams
        assert {agreed(stream) for stream in streams} == {AGREED[profile]}
        for stream in (*streams, *map(bytes, wire.from_client)):
            assert b"payment" not in stream
            assert b"pos-1" not in stream


async def refused_with(shop: Shop, identity: Identity, profile: TlsProfileName) -> None:
    """A client of the other profile, with a certificate of our own, gets nowhere."""
    for name, port in (("backend", "hub"), (HUB, "mqtt")):
        machine = ClientTls(identity.tls_of(profile)).machine(HOST)
        reader, writer = await asyncio.open_connection(HOST, shop.programs[name].port(port))
        machine.start()
        writer.write(machine.outgoing())
        with pytest.raises(TlsError, match="alert handshake failure"):
            machine.receive(await reader.read(65_536))
        writer.close()
