"""The machine's side of enrolment: make keys here, join with a one-time code, renew the keys.

Rule 1: private keys are written, sealed, before anything is sent; a retry sends the same request.
Rule 2: the code is said only to a server whose CA has the fingerprint in the code.
Rule 3: the new identity replaces the old one in one rename, after the answer was checked.
"""

import http.client
import json
import shutil
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from protocol import cose
from protocol.crypto.keys import SigningKey, generate
from protocol.crypto.sealing import seal, unseal
from protocol.crypto.tls_keys import TlsKey, der_of_pem, pem_chain
from protocol.enrolment_code import PrintedCode
from protocol.errors import CallerError, OperatingError, TillwayError, from_code, is_known
from protocol.identity import (
    FILE_NAMES,
    SIGNING_KEY,
    TLS_CHAIN,
    TLS_KEY,
    Facts,
    Identity,
    pack_identity,
    read_identity,
)
from protocol.messages.enrolment import (
    ANSWER_BYTES_MAX,
    CA_CERTIFICATE_BYTES_MAX,
    CA_PATH,
    JOIN_PATH,
    ROTATE_PATH,
    JoinAnswer,
    JoinRequest,
    RotateRequest,
)
from protocol.tls import joining_context
from tillway.private_files import read_files, write_files

HTTP_TIMEOUT_S = 20
CONTENT_TYPE = "application/cbor"
REQUEST_FILE = "request.csr"
IDENTITY, NEW, OLD = "identity", "identity.new", "identity.old"


@dataclass(frozen=True, slots=True)
class PendingKeys:
    """Keys that are written but not certified yet."""

    tls_key: bytes
    signing_key: bytes
    csr: bytes
    signer: SigningKey


def join(state: Path, *, url: str, code: PrintedCode, suite: str, passphrase: bytes) -> Identity:
    """Enrol this machine: afterwards ``state/identity`` says who it is.

    ``CallerError``: ``device_exists`` when it has an identity already, ``identity_mismatch`` for
    a server with another CA than the code's, and whatever the backend refuses. ``OperatingError``
    when the backend cannot be reached: say the same again.
    """
    if _finish_interrupted(state):
        return read_directory(state / IDENTITY, passphrase)
    if (state / IDENTITY).exists():
        raise CallerError("device_exists", str(state / IDENTITY))
    ca_der = fetch_ca(url, code)
    keys = _pending_keys(state / NEW, suite, passphrase)
    request = JoinRequest.signed(code, keys.csr, keys.signer)
    context = joining_context(pem_chain((ca_der,)).decode("ascii"))
    reply = _exchange("POST", url, JOIN_PATH, context, request.to_bytes(), ANSWER_BYTES_MAX)
    answer = JoinAnswer.from_bytes(reply)
    if answer.chain[1] != ca_der:
        raise CallerError("identity_mismatch", "another CA")
    return _settle(state, answer, keys, url, passphrase)


def rotate(state: Path, *, suite: str, passphrase: bytes, now_ms: Callable[[], int]) -> Identity:
    """Renew both keys and the certificate of an enrolled machine."""
    _finish_interrupted(state)
    present = read_directory(state / IDENTITY, passphrase)
    facts = present.facts
    keys = _pending_keys(state / NEW, suite, passphrase)
    request = RotateRequest.signed(
        facts.name,
        at_ms=now_ms(),
        csr=keys.csr,
        key=keys.signer,
        certificate=der_of_pem((state / IDENTITY / TLS_CHAIN).read_bytes()),
    )
    signed = cose.sign1(present.signing_key, request.to_bytes())
    context = joining_context(present.tls.ca_pem)
    reply = _exchange("POST", facts.backend_url, ROTATE_PATH, context, signed, ANSWER_BYTES_MAX)
    answer = JoinAnswer.from_bytes(reply)
    if (answer.tid, answer.store) != (facts.name, facts.store):
        raise CallerError("identity_mismatch", "another machine's answer")
    return _settle(state, answer, keys, facts.backend_url, passphrase, facts.hub_urls)


def read_directory(directory: Path, passphrase: bytes) -> Identity:
    """The identity in a directory."""
    return read_identity(read_files(directory, FILE_NAMES), passphrase, directory)


def fetch_ca(url: str, code: PrintedCode) -> bytes:
    """The CA certificate (DER) of the server, if it is the one that the code names.

    Nothing about the connection is verified and nothing secret is said: the fingerprint decides.
    """
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    ca_der = _exchange("GET", url, CA_PATH, unverified, None, CA_CERTIFICATE_BYTES_MAX)
    if not code.names_ca(ca_der):
        raise CallerError("identity_mismatch", "the server has another CA than the code")
    return ca_der


def _finish_interrupted(state: Path) -> bool:
    """Put a complete new identity in place if the power went off just before that."""
    is_complete = all((state / NEW / name).is_file() for name in FILE_NAMES)
    if (state / IDENTITY).exists() or not is_complete:
        return False
    (state / NEW / REQUEST_FILE).unlink(missing_ok=True)
    (state / NEW).rename(state / IDENTITY)
    return True


def _pending_keys(directory: Path, suite: str, passphrase: bytes) -> PendingKeys:
    names = (TLS_KEY, SIGNING_KEY, REQUEST_FILE)
    files = read_files(directory, names)
    if set(files) != set(names):
        tls_key = TlsKey()
        files = {
            TLS_KEY: tls_key.seal(passphrase),
            SIGNING_KEY: seal(generate(suite), passphrase),
            REQUEST_FILE: tls_key.request(),
        }
        write_files(directory, files)
    signer = unseal(files[SIGNING_KEY], passphrase)
    if signer.suite.name != suite:
        raise CallerError("config_invalid", f"{directory} was begun with {signer.suite.name}")
    return PendingKeys(files[TLS_KEY], files[SIGNING_KEY], files[REQUEST_FILE], signer)


def _settle(
    state: Path,
    answer: JoinAnswer,
    keys: PendingKeys,
    url: str,
    passphrase: bytes,
    hub_urls: tuple[str, ...] = (),
) -> Identity:
    facts = Facts(
        name=answer.tid,
        kind=answer.kind,
        store=answer.store,
        backend_keys=answer.backend_keys,
        hub_keys=answer.hub_keys,
        hub_urls=answer.hub_urls or hub_urls,
        backend_url=url,
    )
    files = pack_identity(
        facts, signing_key=keys.signing_key, tls_key=keys.tls_key, chain=answer.chain
    )
    read_identity(files, passphrase, state / IDENTITY)
    write_files(state / NEW, files)
    (state / NEW / REQUEST_FILE).unlink()
    if (state / OLD).exists():
        shutil.rmtree(state / OLD)
    if (state / IDENTITY).exists():
        (state / IDENTITY).rename(state / OLD)
    (state / NEW).rename(state / IDENTITY)
    return read_directory(state / IDENTITY, passphrase)


def _exchange(
    method: str, url: str, path: str, context: ssl.SSLContext, body: bytes | None, bytes_max: int
) -> bytes:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise CallerError("config_invalid", "the backend's address begins with https://")
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port or 443, timeout=HTTP_TIMEOUT_S, context=context
    )
    headers = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE}
    try:
        connection.request(method, parts.path.rstrip("/") + path, body, headers)
        response = connection.getresponse()
        content = response.read(bytes_max + 1)
    except ssl.SSLCertVerificationError as error:
        raise CallerError("identity_mismatch", error.verify_message) from None
    except (OSError, http.client.HTTPException) as error:
        raise OperatingError("backend_unreachable", type(error).__name__) from None
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise refusal(response.status, content)
    if len(content) > bytes_max:
        raise CallerError("envelope_too_large")
    return content


def refusal(status: int, content: bytes) -> TillwayError:
    """The backend's own error in ``{"error": {"code": …}}``, else what the status says."""
    try:
        code = json.loads(content)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        code = None
    if isinstance(code, str) and is_known(code):
        return from_code(code, "the backend's answer")
    return OperatingError("internal", f"status {status}")
