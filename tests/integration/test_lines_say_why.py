"""A till that gets no line to its hub: both logs say why, and the hub's not without end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backend.identity.ca import Holder
from hub.mqtt.endpoint import EndpointSettings, MqttEndpoint
from hub.ports import Inbound
from terminal.adapters.mqtt_link import MqttLink, MqttPlace
from terminal.inputs import LinkInput, LinkRefused
from tests.kit.hub_world import until
from tests.kit.tls_ends import HOST, Ends
from transport.contexts import ClientTls, ServerTls

pytestmark = pytest.mark.asyncio


EARLY = "certificate verify failed: certificate is not yet valid or the system clock is incorrect"


async def refusals(
    client: ClientTls,
    server: ServerTls,
    *,
    tries: int = 1,
    host: str = HOST,
    is_gone: bool = False,
    admits: bool = True,
) -> tuple[set[str], list[str], set[str]]:
    """What the till's log and the hub's say of so many tries, and the till's screen is told."""
    heard: list[LinkInput] = []

    async def on_publish(_message: Inbound) -> None:
        raise AssertionError("nobody gets so far")

    hub = MqttEndpoint(EndpointSettings("s", host=HOST, tls=server), admits=lambda _: admits)
    with capture_logs() as logs:
        await hub.start(on_publish)
        port = hub.port
        if is_gone:
            await hub.stop()
        place = MqttPlace(
            host=host, port=port, tid="till-1", store="s", boot_epoch=1, software="x", tls=client
        )
        running = asyncio.create_task(MqttLink(place).run(heard.append))

        def said(event: str) -> list[str]:
            return [str(line["reason"]) for line in logs if line["event"] == event]

        await until(lambda: len(said("link_refused")) >= tries)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if not is_gone:
            await hub.stop()
    codes = {one.code for one in heard if isinstance(one, LinkRefused)}
    return set(said("link_refused")), said("mqtt_handshake_refused"), codes


Case = Callable[[Path], tuple[ClientTls, ServerTls]]


def of_another_ca(root: Path) -> tuple[ClientTls, ServerTls]:
    (root / "other").mkdir()
    return Ends(root / "other").client, Ends(root).server


def expired_till(root: Path) -> tuple[ClientTls, ServerTls]:
    ends = Ends(root)
    return ClientTls(ends.issue(Holder("terminal", "till-1"), age_days=400)), ends.server


def expired_hub(root: Path) -> tuple[ClientTls, ServerTls]:
    ends = Ends(root)
    return ends.client, ServerTls(ends.issue(Holder("hub", "hub-1", (HOST,)), age_days=400))


def early_hub(root: Path) -> tuple[ClientTls, ServerTls]:
    ends = Ends(root)
    return ends.client, ServerTls(ends.issue(Holder("hub", "hub-1", (HOST,)), age_days=-30))


def of_the_other_profile(root: Path) -> tuple[ClientTls, ServerTls]:
    return Ends(root, "sm").client, Ends(root).server


@pytest.mark.parametrize(
    ("case", "till", "hub", "code"),
    [
        (of_another_ca, "certificate verify failed: self-signed certificate in certificate chain",
         "tlsv1 alert unknown ca", "hub_certificate_unknown"),
        (expired_till, "tls alert certificate expired",
         "certificate verify failed: certificate has expired", "own_certificate_refused"),
        (expired_hub, "certificate verify failed: certificate has expired",
         "tls alert certificate expired", "hub_certificate_expired"),
        (early_hub, EARLY,
         "tls alert bad certificate", "hub_certificate_early"),
        (of_the_other_profile, "tls alert handshake failure", "no shared cipher", "hub_tls_failed"),
    ],
)  # fmt: skip
async def test_each_side_s_log_says_what_is_wrong(
    case: Case, till: str, hub: str, code: str, tmp_path: Path
) -> None:
    client, server = case(tmp_path)
    assert await refusals(client, server) == ({f"TLS: {till}"}, [f"TLS: {hub}"], {code})


async def test_the_hub_s_log_says_the_same_once_in_a_while(tmp_path: Path) -> None:
    client, server = expired_till(tmp_path)
    _, by_hub, _ = await refusals(client, server, tries=3)
    assert len(by_hub) == 1


async def test_a_hub_that_is_not_there_or_has_another_name(tmp_path: Path) -> None:
    ends = Ends(tmp_path)
    assert await refusals(ends.client, ends.server, is_gone=True) == (
        {"Connection refused"}, [], {"hub_unreachable"},
    )  # fmt: skip
    nameless = ServerTls(ends.issue(Holder("hub", "hub-2", ("elsewhere.example",))))
    by_till, _, codes = await refusals(ends.client, nameless, host="localhost")
    assert by_till == {"TLS: certificate verify failed: hostname mismatch"}
    assert codes == {"hub_certificate_unknown"}


async def test_a_hub_that_does_not_admit_a_till_says_so(tmp_path: Path) -> None:
    ends = Ends(tmp_path)
    assert await refusals(ends.client, ends.server, admits=False) == (
        {"Not authorized"}, [], {"hub_refused"},
    )  # fmt: skip
