"""What a payer signs a mandate with: the key on the phone, or a passkey in a browser.

Rule 1: the text is the same either way, the deterministic CBOR of ``MandateText``. The same text
        again is the same mandate, whatever has signed it.
Rule 2: of a passkey's signature all is kept with which anybody can check it: the text, the number
        in its challenge, and what browser and authenticator have said.
Rule 3: the PIN signs nothing: what stands for years needs a signature that can be shown.
"""

from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.limits import SIGNED_BYTES_MAX
from backend.passkeys.model import Assertion, Deed, Site
from backend.passkeys.service import hear, word_reads
from protocol import cbor, cose
from protocol.crypto.keys import VerifyKey
from protocol.crypto.suites import suite_named
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText, check_terms, open_mandate

_MAP = 5
"""CBOR's major type of a map (RFC 8949, 3.1); a COSE_Sign1 is a tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPasskey:
    """A text and the answer of a passkey to the challenge for it, not judged yet."""

    text: MandateText
    assertion: Assertion
    site: Site


Signed = bytes | ByPasskey
"""``sign_mandate`` of the phone's key, or a passkey's."""


def deed_of(text: MandateText) -> Deed:
    """What a passkey signs."""
    return Deed(kind="mandate", terms=text.to_map())


def text_of(signed: Signed) -> bytes:
    """The text that was signed, whether or not the signature holds."""
    if isinstance(signed, ByPasskey):
        return cbor.encode(signed.text.to_map())
    return cose.parse1(signed).payload


def kept_text(kept: bytes) -> bytes:
    """The text of what ``keep`` has made."""
    if kept[0] >> 5 != _MAP:
        return cose.parse1(kept).payload
    text: bytes = cbor.decode(kept, bytes_max=SIGNED_BYTES_MAX)["text"]
    return text


def signature_reads(signed: Signed, payer_id: str) -> list[Read]:
    """The rows on which the signature is judged, beside the payer's."""
    return word_reads(payer_id, signed.assertion) if isinstance(signed, ByPasskey) else []


def open_signed(signed: Signed, payer: Row) -> MandateText:
    """The terms; of the phone's key the signature is judged here, of a passkey by ``keep``."""
    if isinstance(signed, ByPasskey):
        return check_terms(signed.text)
    if len(signed) > SIGNED_BYTES_MAX:
        raise CallerError("envelope_too_large")
    return open_mandate(signed, VerifyKey(suite_named(payer["key_suite"]), payer["key_public"]))


def keep(ws: WorkingSet, signed: Signed, payer_id: str, now_ms: int) -> bytes:
    """What is stored as the signature; the passkey's answer is used up."""
    if not isinstance(signed, ByPasskey):
        return signed
    said = signed.assertion
    nonce = hear(ws, payer_id, deed_of(signed.text).text, said, signed.site, now_ms)
    return cbor.encode(
        {
            "text": text_of(signed),
            "nonce": nonce,
            "credential_id": said.credential_id,
            "client_data": said.client_data,
            "authenticator_data": said.authenticator_data,
            "signature": said.signature,
        }
    )
