"""The machine's side of enrolment: make keys here, join with a one-time code, renew the keys.

Rule 1: private keys are on the disk, sealed, before anything is sent; a retry sends the same ones.
Rule 2: the code is said only to a backend whose CA has the fingerprint in the code.
Rule 3: the new identity replaces the old one in one rename, after the answer was checked; cut off
        anywhere, the same command again brings it to its end (tillway.identity_slots).
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from protocol import cose
from protocol.clock import DAY_MS
from protocol.crypto import sm2_x509
from protocol.crypto.keys import Signs, generate
from protocol.crypto.sealing import seal
from protocol.crypto.tls_keys import TlsKey, der_of_pem, pem_chain
from protocol.enrolment_code import PrintedCode
from protocol.errors import CallerError
from protocol.identity import (
    ALL_FILE_NAMES,
    SIGNING_KEY,
    SM_KEY,
    TLS_CHAIN,
    TLS_KEY,
    ElementKey,
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
from protocol.tls import PeerKind, joining_context
from tillway.exchange import Line
from tillway.identity_slots import (
    IDENTITY,
    REQUEST_FILE,
    SM_REQUEST_FILE,
    begin,
    finish_interrupted,
    pending_files,
    settle,
    slot_in_use,
)
from tillway.key_homes import FileKeys, KeyHome
from tillway.limits import JOIN_TIMEOUT_S
from tillway.private_files import read_files

SM_SUITE = "SM2-SM3"
CONTENT_TYPE = "application/cbor"


@dataclass(frozen=True, slots=True)
class PendingKeys:
    """Keys that are written but not certified yet."""

    tls_key: bytes
    signing_key: bytes
    csr: bytes
    signer: Signs
    sm_key: bytes
    sm_csr: bytes


def join(
    state: Path,
    *,
    url: str,
    code: PrintedCode,
    suite: str,
    passphrase: bytes,
    home: KeyHome | None = None,
) -> Identity:
    """Enrol this machine: afterwards ``state/identity`` says who it is.

    The signing key is made in ``home``; without one, in a file sealed with the passphrase.
    ``CallerError``: ``identity_exists`` when it has an identity already, ``enrol_code_elsewhere``
    for a server with another CA than the code's, and whatever the backend refuses.
    ``OperatingError`` when the backend cannot be reached: say the same again.
    """
    if finish_interrupted(state):
        return read_directory(state / IDENTITY, passphrase)
    if slot_in_use(state) is not None:
        raise CallerError("identity_exists", str(state / IDENTITY))
    ca_der = fetch_ca(url, code)
    keys = _pending_keys(state, suite, passphrase, home or FileKeys(suite, passphrase))
    request = JoinRequest.signed(code, keys.csr, keys.signer, sm_csr=keys.sm_csr)
    context = joining_context(pem_chain((ca_der,)).decode("ascii"))
    reply = _exchange("POST", url, JOIN_PATH, context, request.to_bytes(), ANSWER_BYTES_MAX)
    answer = JoinAnswer.from_bytes(reply)
    if answer.chain[1] != ca_der:
        raise CallerError("identity_mismatch", "another CA")
    return _settle(state, answer, keys, url, passphrase)


def rotate(
    state: Path,
    *,
    suite: str,
    passphrase: bytes,
    now_ms: Callable[[], int],
    home: KeyHome | None = None,
) -> Identity:
    """Renew both keys and the certificate of an enrolled machine; ``home`` as in `join`."""
    finish_interrupted(state)
    home = home or FileKeys(suite, passphrase)
    present = read_directory(state / IDENTITY, passphrase)
    facts = present.facts
    signer, taken = _present_key(present, home)
    keys = _pending_keys(state, suite, passphrase, home, taken)
    request = RotateRequest.signed(
        facts.name,
        at_ms=now_ms(),
        csr=keys.csr,
        key=keys.signer,
        certificate=der_of_pem((state / IDENTITY / TLS_CHAIN).read_bytes()),
        sm_csr=keys.sm_csr,
    )
    signed = cose.sign1(signer, request.to_bytes())
    context = joining_context(present.tls.ca_pem)
    reply = _exchange("POST", facts.backend_url, ROTATE_PATH, context, signed, ANSWER_BYTES_MAX)
    answer = JoinAnswer.from_bytes(reply)
    if (answer.tid, answer.store) != (facts.name, facts.store):
        raise CallerError("identity_mismatch", "another machine's answer")
    return _settle(state, answer, keys, facts.backend_url, passphrase, facts.hub_urls)


def days_left(state: Path, *, now_ms: int) -> int:
    """Whole days until this machine's certificate ends; negative after that."""
    files = read_files(state / IDENTITY, (TLS_CHAIN,))
    if TLS_CHAIN not in files:
        raise CallerError("config_invalid", f"no identity in {state}")
    ends = x509.load_pem_x509_certificate(files[TLS_CHAIN]).not_valid_after_utc
    return (int(ends.timestamp() * 1000) - now_ms) // DAY_MS


def read_directory(directory: Path, passphrase: bytes) -> Identity:
    """The identity in a directory."""
    return read_identity(read_files(directory, ALL_FILE_NAMES), passphrase, directory)


def fetch_ca(url: str, code: PrintedCode) -> bytes:
    """The CA certificate (DER) of the server, if it is the one that the code names.

    Nothing about the connection is verified and nothing secret is said: the fingerprint decides.
    """
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    ca_der = _exchange("GET", url, CA_PATH, unverified, None, CA_CERTIFICATE_BYTES_MAX)
    if not code.names_ca(ca_der):
        raise CallerError("enrol_code_elsewhere", "the server has another CA than the code names")
    return ca_der


def _present_key(present: Identity, home: KeyHome) -> tuple[Signs, tuple[int, ...]]:
    """The key in use, and the element's slot that it takes."""
    if isinstance(present.key, ElementKey):
        return home.open(present.key.to_bytes()), (present.key.slot,)
    return present.key, ()


def _pending_keys(
    state: Path, suite: str, passphrase: bytes, home: KeyHome, taken: tuple[int, ...] = ()
) -> PendingKeys:
    files = pending_files(state)
    if not files:
        tls_key, sm_key = TlsKey(), generate(SM_SUITE)
        files = {
            SM_KEY: seal(sm_key, passphrase),
            SM_REQUEST_FILE: sm2_x509.request(sm_key),
            TLS_KEY: tls_key.seal(passphrase),
            SIGNING_KEY: home.make(taken),
            REQUEST_FILE: tls_key.request(),
        }
        begin(state, files)
    signer = home.open(files[SIGNING_KEY])
    if signer.suite.name != suite:
        raise CallerError("config_invalid", f"{state}: was begun with {signer.suite.name}")
    return PendingKeys(
        files[TLS_KEY],
        files[SIGNING_KEY],
        files[REQUEST_FILE],
        signer,
        sm_key=files.get(SM_KEY, b""),
        sm_csr=files.get(SM_REQUEST_FILE, b""),
    )


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
        introduction=answer.introduction,
    )
    files = pack_identity(
        facts,
        signing_key=keys.signing_key,
        tls_key=keys.tls_key,
        chain=answer.chain,
        sm_key=keys.sm_key,
        sm_chain=answer.sm_chain,
    )
    read_identity(files, passphrase, state / IDENTITY)
    settle(state, files)
    return read_directory(state / IDENTITY, passphrase)


def _exchange(
    method: str, url: str, path: str, context: ssl.SSLContext, body: bytes | None, bytes_max: int
) -> bytes:
    # Where the server's certificate is not verified (only to fetch the CA), it has no kind either.
    is_verified = context.verify_mode is ssl.CERT_REQUIRED
    peer: PeerKind | None = "backend" if is_verified else None
    line = Line(url=url, context=context, timeout_s=JOIN_TIMEOUT_S, peer=peer)
    headers = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE}
    return line.ask(method, path, body, headers, bytes_max=bytes_max)
