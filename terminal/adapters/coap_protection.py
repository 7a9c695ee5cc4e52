"""Protecting the link to the hub: OSCORE (RFC 8613), its keys agreed by EDHOC (RFC 9528).

The hub's key comes from its signed state, so the device knows whom it agrees with. Its own key is
made for this one agreement: who a device is, its envelopes say. Method 3, suite 2, and message 4 is
waited for, so that both sides have the keys before the first envelope leaves.
"""

from collections.abc import Callable

import structlog
from aiocoap import GET, Context, Message, error
from aiocoap.edhoc import CoseKeyForEdhoc, EdhocCredentials

from protocol.edhoc import hub_credential
from protocol.errors import CallerError
from protocol.limits import ANSWER_BYTES_MAX

HubKey = Callable[[bytes], bytes]
"""The key in a hub's signed state; ``CallerError`` if anybody else could have said it."""
_KID = b"\x00"

log = structlog.get_logger("terminal.coap")


async def protect(context: Context, base: str, state_uri: str, *, tid: str, key_of: HubKey) -> bool:
    """Agree on keys with the hub, for every later request below ``base``. False: not now."""
    question = Message(code=GET, uri=state_uri)
    try:
        state = await context.request(question).response_raising
        hub_key = key_of(bytes(state.payload[:ANSWER_BYTES_MAX]))
        context.client_credentials[f"{base}/*"] = await _credentials(
            hub_key, tid
        ).establish_context(
            wire=context,
            underlying_address=state.remote,
            underlying_proxy_scheme=None,
            underlying_uri_host=None,
            logger=context.log,
        )
    except (error.Error, OSError, CallerError) as failure:
        log.warning("protection_failed", reason=type(failure).__name__, detail=str(failure)[:80])
        return False
    except Exception as failure:  # noqa: BLE001  # outermost: the other side's EDHOC bytes
        log.warning("protection_refused", reason=type(failure).__name__)
        return False
    return True


def _credentials(hub_key: bytes, tid: str) -> EdhocCredentials:
    own = CoseKeyForEdhoc.generate()
    return EdhocCredentials(
        suite=2,
        method=3,
        own_cred=own.as_ccs(kid=_KID, subject=tid),
        own_cred_style="by-value",
        private_key=own.secret_to_map(),
        peer_cred={14: hub_credential(hub_key)},
        use_combined_edhoc=False,
    )
