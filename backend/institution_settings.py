"""Where the other institutions are and who they are: ``[institutions.<name>]``, each optional.

What is not configured is not used: a backend without any takes payments from balances only.
"""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backend.channels.address import ADDRESS, read_address
from backend.channels.signed_http import read_key
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError


class PlaceSettings(BaseModel):
    """Where an institution is: a fixed ``url``, or the ``address`` file that it keeps up to date
    itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    """``http://host:port`` or ``https://host:port``."""
    address: Path | None = None
    """The institution's ``address.json``, read whenever a connection is made."""

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if bool(self.url) == (self.address is not None):
            raise ValueError("either url or address, and not both")
        if self.address is not None and self.address.name != ADDRESS:
            raise ValueError(f"address names an {ADDRESS}")
        return self

    def find(self) -> str:
        """Its HTTP face as it is now; ``OperatingError`` while it is not running."""
        return self.url or self._address_file_url()

    def find_line(self, line: str) -> tuple[str, int]:
        """The host and port of one of its lines as it is now, by its address file."""
        assert self.address is not None
        found = read_address(self.address)
        return found.host, found.port(line)

    def _address_file_url(self) -> str:
        assert self.address is not None
        return read_address(self.address).url()


class InstitutionSettings(PlaceSettings):
    """One institution, and always its public key, which no file of another can change."""

    key: str
    """Its public key, as it prints it."""

    @field_validator("key")
    @classmethod
    def _check_key(cls, text: str) -> str:
        try:
            read_key(text)
        except CallerError:
            raise ValueError("no public key") from None
        return text

    @property
    def peer(self) -> VerifyKey:
        """Whose signature its answers bear."""
        return read_key(self.key)


class AlipaySettings(PlaceSettings):
    """Alipay's gateway, without ``/gateway.do``, and our application there."""

    app_id: str = Field(pattern=r"^\d{16}$")
    key_file: Path
    """The application's RSA key (PEM), mode 0600."""
    public_key: str = ""
    """Alipay's, as its console shows it: DER in Base64. Or, in certificate mode:"""
    app_cert_file: Path | None = None
    alipay_cert_file: Path | None = None
    root_cert_file: Path | None = None
    """The application's certificate, Alipay's, and the roots that it leads to (PEM)."""

    @model_validator(mode="after")
    def _check_mode(self) -> Self:
        files = [self.app_cert_file, self.alipay_cert_file, self.root_cert_file]
        named = [one for one in files if one is not None]
        if bool(self.public_key) == bool(named) or len(named) not in {0, len(files)}:
            raise ValueError("either public_key or the three certificates")
        return self


class UnionPayQrSettings(PlaceSettings):
    """UnionPay's gateway for QR codes, without its paths, and us as a merchant there."""

    file_url: str = ""
    """Where day files are fetched; empty: at the gateway."""
    mer_id: str = Field(pattern=r"^[A-Za-z0-9]{15}$")
    term_id: str = Field(default="10000001", pattern=r"^\d{8}$")
    key_file: Path
    """Our RSA key and then its certificate (PEM), mode 0600."""
    root_file: Path
    """The certificate (PEM) that has issued the gateway's."""

    def find_files(self) -> str:
        """Where day files are fetched, as it is now."""
        return self.file_url or self.find()


class TimeStamperSettings(InstitutionSettings):
    """A time stamper (RFC 3161), which signs by a certificate and not by ``key``."""

    authority_file: Path
    """The certificate (PEM) of the authority that issued the stamper's."""
    policy: str
    """The object identifier of the policy that its stamps are under."""


class UnionPaySettings(InstitutionSettings):
    """The switch: messages over its line, day files over HTTP. ``url`` cannot name both, so it is
    found by its ``address`` file."""

    terminal: str = Field(default="10000001", pattern=r"^\d{8}$")
    """Field 41."""
    merchant: str = Field(default="898310000000001", pattern=r"^\d{15}$")
    """Field 42."""
    master_key_file: Path
    """32 hexadecimal digits, mode 0600: what wraps the working keys of a sign-on."""

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        if self.address is None:
            raise ValueError("unionpay is found by its address file")
        return self


class InstitutionsSettings(BaseModel):
    """Every institution that this backend knows how to speak with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reserve_bank: InstitutionSettings | None = None
    """Keeps the clients' money. Without it nothing is cleared."""
    own_bank: InstitutionSettings | None = None
    """Keeps our own."""
    netsunion: InstitutionSettings | None = None
    unionpay: UnionPaySettings | None = None
    fund: InstitutionSettings | None = None
    ecny: InstitutionSettings | None = None
    alipay: AlipaySettings | None = None
    unionpay_qr: UnionPayQrSettings | None = None
    timestamps: TimeStamperSettings | None = None
    """Without it our checkpoints bear our own signature only."""
