"""Where the other institutions are and who they are: ``[institutions.<name>]``, each optional.

What is not configured is not used: a backend without any takes payments from balances only.
"""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from backend.channels.address import ADDRESS, HTTP, read_address
from backend.channels.signed_http import read_key
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError


class InstitutionSettings(BaseModel):
    """One institution: a fixed ``url``, or the ``address`` file that it keeps up to date itself;
    and always its public key, which no file of another can change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    """``http://host:port``, ``https://host`` or, for UnionPay's line, ``tcp://host:port``."""
    address: Path | None = None
    """The institution's ``address.json``, read whenever a connection is made."""
    key: str
    """Its public key, as it prints it."""

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if bool(self.url) == (self.address is not None):
            raise ValueError("either url or address, and not both")
        if self.address is not None and self.address.name != ADDRESS:
            raise ValueError(f"address names an {ADDRESS}")
        return self

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

    def find(self) -> str:
        """Its HTTP face as it is now; ``OperatingError`` while it is not running."""
        return self.url or self._address_file_url()

    def find_line(self, line: str = HTTP) -> tuple[str, int]:
        """The host and port of one of its lines as it is now."""
        if self.address is not None:
            found = read_address(self.address)
            return found.host, found.port(line)
        host, _, port = self.url.partition("://")[2].rpartition(":")
        return host, int(port)

    def _address_file_url(self) -> str:
        assert self.address is not None
        return read_address(self.address).url()


class TimeStamperSettings(InstitutionSettings):
    """A time stamper (RFC 3161), which signs by a certificate and not by ``key``."""

    authority_file: Path
    """The certificate (PEM) of the authority that issued the stamper's."""
    policy: str
    """The object identifier of the policy that its stamps are under."""


class InstitutionsSettings(BaseModel):
    """Every institution that this backend knows how to speak with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reserve_bank: InstitutionSettings | None = None
    """Keeps the clients' money. Without it nothing is cleared."""
    own_bank: InstitutionSettings | None = None
    """Keeps our own."""
    netsunion: InstitutionSettings | None = None
    unionpay: InstitutionSettings | None = None
    fund: InstitutionSettings | None = None
    ecny: InstitutionSettings | None = None
    timestamps: TimeStamperSettings | None = None
    """Without it our checkpoints bear our own signature only."""
