"""A machine's identity directory: who it is, its keys, and whom it believes.

``tillway enroll`` writes the directory; every program reads it with the passphrase that opens its
two private keys. This module is pure: the program reads the files and gives the bytes.

    identity.cbor   {1: version, 2: name, 3: kind, 4: store, 5: [backend keys], 6: [hub keys],
                     7: [hub addresses], 8: backend address}
    signing.key     the signing key, sealed (protocol.crypto.sealing), or, where a secure element
                     holds it, {1: version, 2: slot, 3: public key}
    tls.key         the TLS key, PKCS#8 PEM, encrypted with the same passphrase
    tls.crt         its certificate and then the CA's, PEM
    ca.crt          the CA's certificate, PEM
    sm.key          the SM2 key for lines of the profile ``sm``, sealed as the signing key is
    sm.crt          its certificate and then the SM2 CA's, PEM
    sm-ca.crt       the SM2 CA's certificate, PEM

The last three are not there where the installation has no SM2 CA.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from protocol import cbor
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.crypto.sealing import unseal
from protocol.crypto.tls_keys import pem_chain
from protocol.errors import CallerError
from protocol.messages.enrolment import (
    introduction_from_wire,
    keys_from_wire,
    urls_from_wire,
)
from protocol.topics import is_name

VERSION = 1
TlsProfileName = Literal["p256", "sm"]
FACTS, SIGNING_KEY, TLS_KEY, TLS_CHAIN, CA = (
    "identity.cbor",
    "signing.key",
    "tls.key",
    "tls.crt",
    "ca.crt",
)
FILE_NAMES = (FACTS, SIGNING_KEY, TLS_KEY, TLS_CHAIN, CA)
SM_KEY, SM_CHAIN, SM_CA = "sm.key", "sm.crt", "sm-ca.crt"
SM_FILE_NAMES = (SM_KEY, SM_CHAIN, SM_CA)
ALL_FILE_NAMES = (*FILE_NAMES, *SM_FILE_NAMES)
FILE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Facts:
    """What ``identity.cbor`` holds: nothing secret."""

    name: str
    kind: str
    store: str
    backend_keys: tuple[VerifyKey, ...]
    hub_keys: tuple[VerifyKey, ...] = ()
    hub_urls: tuple[str, ...] = ()
    backend_url: str = ""
    introduction: bytes = b""
    """What a hub shows to devices that do not know its key (``protocol.introduction``)."""

    def to_bytes(self) -> bytes:
        """The file's content."""
        fields = (
            VERSION,
            self.name,
            self.kind,
            self.store,
            [key.to_wire() for key in self.backend_keys],
            [key.to_wire() for key in self.hub_keys],
            list(self.hub_urls),
            self.backend_url,
        )
        introduction = {9: self.introduction} if self.introduction else {}
        return cbor.encode({**dict(enumerate(fields, start=1)), **introduction})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Facts":
        """Read the file's content; ``CallerError("config_invalid")`` for anything else."""
        fields = cbor.decode(data, bytes_max=FILE_BYTES_MAX)
        match fields:
            case {1: 1, 2: name, 3: str(kind), 4: str(store), 5: k, 6: h, 7: u, 8: str(url)} if (
                is_name(name)
            ):
                keys, hub_keys, urls = keys_from_wire(k), keys_from_wire(h), urls_from_wire(u)
                introduction = introduction_from_wire(fields.get(9))
                return cls(name, kind, store, keys, hub_keys, urls, url, introduction)
        raise CallerError("config_invalid", "identity.cbor")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where OpenSSL finds a machine's certificate and key. It reads files only by path."""

    chain: Path
    key: Path
    passphrase: bytes
    ca_pem: str

    def __repr__(self) -> str:
        return f"TlsFiles({self.chain})"


@dataclass(frozen=True, slots=True)
class SmTls:
    """A machine's SM2 certificate and its sealed key."""

    chain_pem: bytes
    sealed_key: bytes
    passphrase: bytes
    ca_pem: str

    def __repr__(self) -> str:
        return "SmTls()"

    def key(self) -> SigningKey:
        """The key, opened; ``CallerError("key_unsealable")``."""
        return unseal(self.sealed_key, self.passphrase)


@dataclass(frozen=True, slots=True)
class ElementKey:
    """A signing key that a secure element holds in one of its slots."""

    slot: int
    public: VerifyKey

    def to_bytes(self) -> bytes:
        """The content of ``signing.key``."""
        return cbor.encode({1: VERSION, 2: self.slot, 3: self.public.to_wire()})

    @classmethod
    def from_bytes(cls, data: bytes) -> "ElementKey | None":
        """Read the content; ``None`` if it is none, as a sealed key."""
        try:
            fields = cbor.decode(data, bytes_max=FILE_BYTES_MAX)
        except CallerError:
            return None
        match fields:
            case {1: 1, 2: slot, 3: public} if cbor.is_count(slot):
                return cls(slot, VerifyKey.from_wire(public))
        return None


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything a program needs to speak as itself."""

    facts: Facts
    key: SigningKey | ElementKey
    tls: TlsFiles
    sm: SmTls | None = None

    def tls_of(self, profile: TlsProfileName) -> TlsFiles | SmTls:
        """What to show on lines of a profile; ``config_invalid`` where there is nothing."""
        if profile == "p256":
            return self.tls
        if self.sm is None:
            raise CallerError(
                "config_invalid",
                f"tls_profile sm: {self.name} has no SM2 certificate; 'tillway enroll rotate' gets"
                " one from a backend with an SM2 CA",
            )
        return self.sm

    @property
    def signing_key(self) -> SigningKey:
        """The key, where it is in a file; ``CallerError("config_invalid")`` where it is not."""
        if isinstance(self.key, ElementKey):
            raise CallerError("config_invalid", f"{self.name}: a secure element holds its key")
        return self.key

    @property
    def public(self) -> VerifyKey:
        """The key's public half."""
        return self.key.public

    @property
    def name(self) -> str:
        """The tid, hub id or backend id: the certificate's common name."""
        return self.facts.name

    @property
    def store(self) -> str:
        """The store it belongs to; empty for the backend."""
        return self.facts.store

    def backend_key(self, kid: bytes) -> VerifyKey:
        """The pinned backend key with this kid; ``CallerError("signature_invalid")`` if none."""
        return _find(self.facts.backend_keys, kid)


def pack_identity(
    facts: Facts,
    *,
    signing_key: bytes,
    tls_key: bytes,
    chain: tuple[bytes, ...],
    sm_key: bytes = b"",
    sm_chain: tuple[bytes, ...] = (),
) -> dict[str, bytes]:
    """The files of an identity directory. The keys are sealed already; the chains are DER.

    Those of the profile ``sm`` come first: who finds the others finds them, too.
    """
    sm = (sm_key, pem_chain(sm_chain), pem_chain(sm_chain[-1:])) if sm_chain else ()
    return {
        **dict(zip(SM_FILE_NAMES, sm, strict=False)),
        FACTS: facts.to_bytes(),
        SIGNING_KEY: signing_key,
        TLS_KEY: tls_key,
        TLS_CHAIN: pem_chain(chain),
        CA: pem_chain(chain[-1:]),
    }


def read_identity(files: Mapping[str, bytes], passphrase: bytes, directory: Path) -> Identity:
    """Build an identity of the bytes of ``ALL_FILE_NAMES`` and the directory they came from.

    ``CallerError``: ``config_invalid`` for a missing or damaged file, ``key_unsealable`` for a
    wrong passphrase.
    """
    missing = [name for name in FILE_NAMES if name not in files]
    if missing:
        raise CallerError("config_invalid", f"identity: missing {', '.join(missing)}")
    try:
        ca_pem = files[CA].decode("ascii")
        facts = Facts.from_bytes(files[FACTS])
        sm = _sm(files, passphrase)
    except (UnicodeDecodeError, CallerError):
        raise CallerError("config_invalid", "identity: damaged file") from None
    tls = TlsFiles(directory / TLS_CHAIN, directory / TLS_KEY, passphrase, ca_pem)
    sealed = files[SIGNING_KEY]
    key = ElementKey.from_bytes(sealed) or unseal(sealed, passphrase)
    return Identity(facts, key, tls, sm)


def _sm(files: Mapping[str, bytes], passphrase: bytes) -> SmTls | None:
    if not all(name in files for name in SM_FILE_NAMES):
        return None
    return SmTls(files[SM_CHAIN], files[SM_KEY], passphrase, files[SM_CA].decode("ascii"))


def _find(keys: tuple[VerifyKey, ...], kid: bytes) -> VerifyKey:
    for key in keys:
        if key.kid == kid:
            return key
    raise CallerError("signature_invalid", "unknown key")
