"""The backend's private directory: made once by ``tillway backend init``, read at every start.

    passphrase      opens everything below (0600); or a file elsewhere that the settings name
    ca/             the CA's certificate and its sealed key, and the SM2 CA's
    identity/       the backend's own identity (protocol.identity)
    code.key        32 sealed random bytes, the master of all pay codes
    operator.sha256 the operator token's SHA-256; the token itself is shown once
    clock.ahead     how far an operator has put the clock forward, in ms (``clock_control``)
    backend.db      the default database

Rule: nothing here is ever overwritten but the operator's token and how far the clock is ahead;
      ``init`` completes what an earlier ``init`` (or ``tillway enroll init``) has begun, and
      refuses a complete directory.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from backend.config import Settings
from backend.identity.ca import CertificateAuthority
from backend.identity.founding import (
    CA_CERTIFICATE,
    CA_KEY,
    IDENTITY_DIRECTORY,
    SM_CA_CERTIFICATE,
    SM_CA_KEY,
    found,
)
from backend.identity.sm_authority import SmAuthority
from backend.limits import OPERATOR_TOKEN_BYTES, PASSPHRASE_BYTES
from protocol import identity
from protocol.clock import Entropy
from protocol.crypto import generate, seal, unseal
from protocol.errors import CallerError
from protocol.identity import Identity, read_identity

_CA_NAME = "Tillway"
_CODE_KEY_SUITE = "Ed25519"
"""A sealed key of this suite is 32 random bytes, which is all that the code key is."""


@dataclass(frozen=True, slots=True)
class State:
    """What the directory holds, opened."""

    identity: Identity = field(repr=False)
    ca: CertificateAuthority = field(repr=False)
    operator_digest: bytes = field(repr=False)
    code_master_key: bytes = field(repr=False)
    sm_ca: SmAuthority | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the files of the state directory lie."""

    root: Path

    @property
    def identity(self) -> Path:
        """The backend's identity directory."""
        return self.root / IDENTITY_DIRECTORY

    @property
    def ca_certificate(self) -> Path:
        """The CA's certificate, PEM: what other programs trust."""
        return self.root / CA_CERTIFICATE

    @property
    def ca_key(self) -> Path:
        """The CA's sealed key."""
        return self.root / CA_KEY

    @property
    def code_key(self) -> Path:
        """The sealed master of pay codes."""
        return self.root / "code.key"

    @property
    def operator_digest(self) -> Path:
        """The operator token's hash."""
        return self.root / "operator.sha256"

    @property
    def clock_ahead(self) -> Path:
        """How far the clock was put forward; not there while nobody has."""
        return self.root / "clock.ahead"


def initialise(settings: Settings, *, entropy: Entropy, now_ms: int) -> str:
    """Make the directory and return the operator token, which is stored nowhere.

    ``CallerError("config_invalid")`` when the directory was initialised before.
    """
    layout = Layout(settings.state_dir)
    if layout.operator_digest.exists():
        raise CallerError("config_invalid", f"{settings.state_dir} is initialised already")
    layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.passphrase_file is None and not settings.passphrase_path.exists():
        _write(settings.passphrase_path, entropy.token_bytes(PASSPHRASE_BYTES).hex().encode())
    passphrase = settings.passphrase()
    if not layout.ca_certificate.exists():
        _found(layout, settings, passphrase, now_ms)
    if not layout.code_key.exists():
        _write(layout.code_key, seal(generate(_CODE_KEY_SUITE), passphrase))
    return renew_operator_token(settings, entropy=entropy)


def renew_operator_token(settings: Settings, *, entropy: Entropy) -> str:
    """A new operator token; the old one ends at the backend's next start."""
    token = "tw_op_" + entropy.token_bytes(OPERATOR_TOKEN_BYTES).hex()
    _write(Layout(settings.state_dir).operator_digest, digest(token).hex().encode())
    return token


def clock_ahead_ms(settings: Settings) -> int:
    """How far operators have put the clock forward in the runs before; ``config_invalid`` where
    the file holds no number."""
    file = Layout(settings.state_dir).clock_ahead
    try:
        return max(int(file.read_bytes()), 0) if file.exists() else 0
    except ValueError:
        raise CallerError("config_invalid", f"{file}") from None


def keep_clock_ahead(settings: Settings, ahead_ms: int) -> None:
    """Remember for the next run how far the clock is ahead."""
    _write(Layout(settings.state_dir).clock_ahead, f"{ahead_ms}".encode())


def digest(token: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so a plain hash keeps it."""
    return hashlib.sha256(token.encode()).digest()


def read(settings: Settings) -> State:
    """Open the directory; ``config_invalid`` says to run init, ``key_unsealable`` is a wrong
    passphrase."""
    layout = Layout(settings.state_dir)
    if not layout.operator_digest.exists():
        raise CallerError(
            "config_invalid", f"{settings.state_dir}: run 'tillway backend init' first"
        )
    passphrase = settings.passphrase()
    files = {
        name: (layout.identity / name).read_bytes()
        for name in identity.ALL_FILE_NAMES
        if (layout.identity / name).exists()
    }
    try:
        return State(
            identity=read_identity(files, passphrase, layout.identity),
            ca=CertificateAuthority.load(
                layout.ca_certificate.read_bytes(), layout.ca_key.read_bytes(), passphrase
            ),
            operator_digest=bytes.fromhex(layout.operator_digest.read_text().strip()),
            code_master_key=unseal(layout.code_key.read_bytes(), passphrase).private_bytes(),
            sm_ca=_sm_ca(layout, passphrase),
        )
    except (OSError, ValueError) as error:
        raise CallerError("config_invalid", f"{settings.state_dir}: {error}") from None


def _sm_ca(layout: Layout, passphrase: bytes) -> SmAuthority | None:
    certificate = layout.root / SM_CA_CERTIFICATE
    if not certificate.exists():
        return None
    key = layout.root / SM_CA_KEY
    return SmAuthority.load(certificate.read_bytes(), key.read_bytes(), passphrase)


def _found(layout: Layout, settings: Settings, passphrase: bytes, now_ms: int) -> None:
    """CA and identity. The CA's certificate is written last: it says that all else is there."""
    files = found(
        name=_CA_NAME,
        host_names=settings.tls_names,
        suite=settings.signing_suite,
        passphrase=passphrase,
        now_ms=now_ms,
    )
    last = files.pop(CA_CERTIFICATE)
    for name, content in files.items():
        _write(layout.root / name, content)
    _write(layout.ca_certificate, last)


def _write(path: Path, content: bytes) -> None:
    """A private file, whole or not at all, and on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    # A new name is on the disk when its directory is; a new directory, when its parent is.
    for directory in (path.parent, path.parent.parent):
        opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
