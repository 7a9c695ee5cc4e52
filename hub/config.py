"""What an operator may set: one TOML file, overridden by ``TILLWAY_HUB_…``; frozen once read.

In the environment a nested key is joined by two underscores: ``TILLWAY_HUB_MQTT__PORT=1883``.
Every default is safe on one machine: loopback, no fault control. Secrets have no default.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from hub.coap.limits import REQUESTS_PER_S_MAX, REQUESTS_PER_S_TOTAL_MAX
from hub.domain.floor_limits import FloorRules
from hub.domain.limits import (
    BATCHES_IN_FLIGHT_MAX,
    UNKNOWN_AFTER_MS,
    UPLINK_BYTES_MAX,
    UPLINK_ROWS_MAX,
)
from hub.ocpp.settings import OcppSettings
from hub.shell_limits import WORKERS_MAX
from protocol.config_file import ProgramSettings, read_secret, read_settings
from protocol.errors import CallerError
from protocol.identity import TlsProfileName
from protocol.limits import OFFLINE_CLASSES_MAX, OFFLINE_TOKENS_MAX
from protocol.money import AMOUNT_MINOR_MAX

_Port = Annotated[int, Field(ge=0, le=65535)]
_Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BackendSection(_Section):
    """Where the backend's hub listener is."""

    url: Annotated[str, Field(pattern=r"^https://")]


class MqttSection(_Section):
    """The terminals' MQTT side: our own endpoint, or a broker that we connect to."""

    mode: Literal["embedded", "external", "off"] = "embedded"
    host: str = "127.0.0.1"
    port: _Port = 8883


class CoapSection(_Section):
    """The CoAP side. ``oscore``: only protected requests are served (RFC 8613)."""

    enabled: bool = True
    security: Literal["plain", "oscore"] = "plain"
    host: str = "127.0.0.1"
    port: _Port = 5683
    requests_per_s_max: Annotated[int, Field(ge=1, le=10_000)] = REQUESTS_PER_S_MAX
    """Of one address and port."""
    requests_per_s_total_max: Annotated[int, Field(ge=1, le=100_000)] = REQUESTS_PER_S_TOTAL_MAX


class FirmwareSection(_Section):
    """Where terminals fetch firmware for their boards. They show their certificates."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: _Port = 8884


class HttpSection(_Section):
    """Health, metrics, the status page. Loopback only, because nobody signs in."""

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    port: _Port = 8480


class SpoolSection(_Section):
    """How much may wait for the backend."""

    rows_max: Annotated[int, Field(ge=1, le=1_000_000)] = UPLINK_ROWS_MAX
    bytes_max: Annotated[int, Field(ge=8192)] = UPLINK_BYTES_MAX


class ForwardSection(_Section):
    """The way to the backend."""

    batches_in_flight_max: Annotated[int, Field(ge=1, le=8)] = BATCHES_IN_FLIGHT_MAX
    unknown_after_ms: Annotated[int, Field(ge=100, le=60_000)] = UNKNOWN_AFTER_MS
    """After this long without an answer the terminal is told that the outcome is unknown."""


class OfflineSection(_Section):
    """What the store's tills may accept while nobody can be asked. Without a class: nothing."""

    payment_minor_max: Annotated[dict[str, _Minor], Field(max_length=OFFLINE_CLASSES_MAX)] = {}
    """Of one payment, by the payer's class: ``{new = 5000, known = 20000}``."""
    device_minor_max: _Minor = 50_000
    device_tokens_max: Annotated[int, Field(ge=0, le=OFFLINE_TOKENS_MAX)] = 20
    store_minor_max: _Minor = 200_000
    age_h: Annotated[int, Field(ge=1, le=72)] = 24
    """How long a till may go by the last word of a hub that it does not hear any more."""

    def rules(self) -> FloorRules | None:
        """The rules; None where nothing may be accepted."""
        if not self.payment_minor_max:
            return None
        return FloorRules(
            payment_minor_max=self.payment_minor_max,
            device_minor_max=self.device_minor_max,
            device_tokens_max=self.device_tokens_max,
            store_minor_max=self.store_minor_max,
            age_ms_max=self.age_h * 3_600_000,
        )


class Settings(ProgramSettings):
    """The hub's settings. Who it is stands in ``state_dir/identity``, which ``enroll`` writes."""

    model_config = SettingsConfigDict(
        env_prefix="TILLWAY_HUB_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    state_dir: Path = Path("var/hub")
    passphrase_file: Path | None = None
    """Opens the sealed keys; None: ``passphrase`` in the state directory."""
    tls_profile: TlsProfileName = "p256"
    """What TLS on all lines but the status port is made of; backend and terminals have the same."""
    backend: BackendSection
    mqtt: MqttSection = MqttSection()
    coap: CoapSection = CoapSection()
    http: HttpSection = HttpSection()
    firmware: FirmwareSection = FirmwareSection()
    spool: SpoolSection = SpoolSection()
    forward: ForwardSection = ForwardSection()
    offline: OfflineSection = OfflineSection()
    ocpp: OcppSettings = OcppSettings()
    workers: Annotated[int, Field(ge=1, le=32)] = WORKERS_MAX
    """Threads that check and make signatures."""
    fault_control: bool = False
    """Lets the status port break the line to the backend. For the demo and tests only."""

    def passphrase(self) -> bytes:
        """The passphrase; ``config_invalid`` where there is no readable private file."""
        return read_secret(self.passphrase_file or self.state_dir / "passphrase", "passphrase file")


def load(file: Path | None) -> Settings:
    """Read the settings; ``CallerError("config_invalid")`` names what is wrong, never its value."""
    settings = read_settings(Settings, file)
    if settings.tls_profile == "sm" and settings.mqtt.mode == "external":
        raise CallerError("config_invalid", "tls_profile sm: mqtt.mode external has no SM broker")
    return settings
