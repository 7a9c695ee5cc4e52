"""What an operator may set: one TOML file, overridden by ``TILLWAY_BACKEND_…``; frozen once read.

Every default is safe on one machine: listeners on the loopback, no clock control. Secrets have no
default; they are made by ``tillway backend init`` or named by file.
"""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from backend.clearing.limits import INTEREST_BPS_MAX
from backend.db.limits import COMMANDS_PER_GROUP_MAX, COMMANDS_WAITING_MAX
from backend.institution_settings import InstitutionsSettings
from backend.limits import READ_THREADS, VERIFY_THREADS
from backend.merchant_api.config import MerchantApiSettings
from backend.merchants.limits import FEE_BPS_MAX
from backend.merchants.model import FeeBounds
from backend.offline.config import OfflineSettings
from backend.openings.loopback import is_loopback
from backend.operator.limits import JOINS_ALL_PER_MINUTE_MAX, JOINS_PER_MINUTE_MAX
from backend.payments.limits import CODE_LIFE_MS_MAX
from backend.risk.judging.live import LIVE_BY_DEFAULT
from backend.risk.limits import RECENT_PAYMENTS_MAX
from backend.risk.model import RiskRules
from backend.routing.config import RoutingSettings
from backend.wallet.config import WalletSettings
from backend.withdrawals.config import WithdrawalSettings
from protocol.config_file import ProgramSettings, read_secret, read_settings
from protocol.crypto.image_keys import image_key_from_pem
from protocol.crypto.suites import DEFAULT_SUITE, SUITES
from protocol.errors import CallerError
from protocol.framing.mcuboot import ImageKey
from protocol.identity import TlsProfileName

RISK = RiskRules()
FEES = FeeBounds()
_Port = Annotated[int, Field(ge=0, le=65535)]
_SuiteName = Annotated[str, Field(pattern=f"^({'|'.join(SUITES)})$")]


class Settings(ProgramSettings):
    """The backend's settings."""

    model_config = SettingsConfigDict(
        env_prefix="TILLWAY_BACKEND_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    state_dir: Path = Path("var/backend")
    """Private: CA, keys, the operator token's hash, the default database."""
    database_url: str = ""
    """Empty: SQLite in the state directory."""
    ledger_shards: tuple[str, ...] = ()
    """The databases of a ledger over several, in the order in which ``tillway shards found``
    founded them; ours is one of them. Empty: one database. What works then, and what not yet:
    ``docs/scale.md``."""
    firmware_key_files: tuple[Path, ...] = ()
    """Public keys (PEM) of those who may sign firmware images; none: any signature will do here,
    and the board checks by its own key."""
    passphrase_file: Path | None = None
    """Opens the sealed keys; None: ``passphrase`` in the state directory, made by ``init``."""
    listen_host: str = "127.0.0.1"
    public_port: _Port = 8443
    """HTTPS for wallets, merchants, operators, enrolment, health and metrics."""
    metrics_open: bool = False
    """Lets anybody who reaches the public port read ``/metrics``, without the operator's token."""
    hub_port: _Port = 8444
    """HTTPS with mutual TLS for hubs."""
    tls_profile: TlsProfileName = "p256"
    """What TLS on the hubs' port is made of; the hubs have the same. The public port is P-256."""
    signing_suite: _SuiteName = DEFAULT_SUITE
    """The suite of our own signing key; ``init`` makes the key, and later only the key counts."""
    tls_names: tuple[str, ...] = ("localhost", "127.0.0.1")
    """The names and addresses in our certificate."""
    clock_control: bool = False
    """Lets the operator put the clock forward. For the demo and the sandbox only."""
    opening_links: bool = False
    """Lets the wallet and the console be opened by single-use links on the machine itself, so that
    nobody copies a token. For a development stack only: it needs ``clock_control`` and is refused
    where ``listen_host`` or ``tls_names`` name anything but the loopback."""
    commands_per_group_max: Annotated[int, Field(ge=1, le=8192)] = COMMANDS_PER_GROUP_MAX
    commands_waiting_max: Annotated[int, Field(ge=1, le=1_000_000)] = COMMANDS_WAITING_MAX
    verify_threads: Annotated[int, Field(ge=1, le=64)] = VERIFY_THREADS
    read_threads: Annotated[int, Field(ge=1, le=64)] = READ_THREADS
    institutions: InstitutionsSettings = InstitutionsSettings()
    """The institutions that money leaves our books through."""
    reserve_account: str = "RESERVE-TILLWAY"
    """The bank account of clients' money."""
    own_account: str = "OWN-TILLWAY"
    """The bank account of our own money: where swept fees go."""
    fund_own_advance: bool = False
    """Pays for a money-market fund from our own money until the fund repays us. Off: a bank does.
    Where the law lets only banks advance, it stays off."""
    holder_name: str = "Tillway"
    """Who we are to the bank."""
    net_debit_caps: dict[str, Annotated[int, Field(gt=0)]] = Field(default_factory=dict)
    """By channel, how much it may owe us unsettled before payments go elsewhere, in minor units."""
    reserve_interest_bps: Annotated[int, Field(ge=0, le=INTEREST_BPS_MAX)] = 35
    """What the reserve bank pays a year on the reserve, in basis points: accrued daily, posted when
    it pays."""
    fee_bps_min: Annotated[int, Field(ge=0, le=FEE_BPS_MAX)] = FEES.bps_min
    fee_bps_max: Annotated[int, Field(ge=0, le=FEE_BPS_MAX)] = FEES.bps_max
    """Between which rates merchants' fee plans are agreed."""
    fee_rate_bps: Annotated[int, Field(ge=0, le=FEE_BPS_MAX)] = 60
    """The fee of a merchant that is created without a plan of its own."""
    routing: RoutingSettings = RoutingSettings()
    """Which channel is preferred for what, and what differs in the channels' facts."""
    withdrawals: WithdrawalSettings = WithdrawalSettings()
    """What payers pay for taking their money out."""
    offline: OfflineSettings = OfflineSettings()
    """What payers may pay while nobody can be asked, and who bears what goes wrong."""
    wallet: WalletSettings = WalletSettings()
    """What payers may confirm without their PIN."""
    merchant_api: MerchantApiSettings = MerchantApiSettings()
    """How merchants' programs are served: the sandbox, signature probes."""
    calendar_file: Path | None = None
    """The days off of years that the built-in calendar does not know; see the runbook."""
    calendar_key: str = ""
    """Whose signature stands beside the calendar file: ``tillway clearing calendar key``."""
    cut_offs: dict[str, str] = Field(default_factory=dict)
    """Where channels' days end, above what we know: ``{"CUP": "23:00", "FUND": "15:00 T+0"}``."""
    biometric_above_minor: Annotated[int, Field(ge=0)] = 100_000
    """Above this a new merchant asks for a fingerprint."""

    queue_url: SecretStr = SecretStr("")
    """The broker that callbacks wait in: ``amqps://user@host/vhost``. Empty: the database."""
    queue_password_file: Path | None = None
    """Holds the broker's password, so that ``queue_url`` need not."""
    callbacks_to_private_addresses: bool = False
    """Lets callbacks go to addresses that are not on the open internet. For one machine only."""
    risk_amount_minor_max: Annotated[int, Field(gt=0)] = RISK.amount_minor_max
    risk_velocity_count_max: Annotated[int, Field(gt=0, le=RECENT_PAYMENTS_MAX)] = (
        RISK.velocity_count_max
    )
    risk_velocity_window_ms: Annotated[int, Field(gt=0)] = RISK.velocity_window_ms
    risk_live_rules: tuple[str, ...] = LIVE_BY_DEFAULT
    """The shipped rules that decide; the others run in shadow: ``tillway risk rules list``."""
    risk_redis_url: SecretStr = SecretStr("")
    """Through which several backends over one database share what the risk engine remembers:
    ``rediss://user@host:6379/0``, ``unix:///path``. Empty: this backend remembers for itself."""
    risk_redis_password_file: Path | None = None
    """Holds Redis's password, so that ``risk_redis_url`` need not."""
    joins_per_minute_max: Annotated[int, Field(gt=0, le=JOINS_ALL_PER_MINUTE_MAX)] = (
        JOINS_PER_MINUTE_MAX
    )
    """Tries to join from one address: higher while a store full of machines is enrolled."""
    page_url: Annotated[str, Field(pattern=r"^(https?://[^/?#\s]+)?$")] = ""
    """``https://host`` under which payers' wallets reach this backend: shown codes then say a page
    that every wallet opens. Empty: they are for our own wallet alone."""
    code_life_ms: Annotated[int, Field(gt=0, le=CODE_LIFE_MS_MAX)] = 5 * 60 * 1000
    """How long a merchant-presented code can be paid."""

    @model_validator(mode="after")
    def _check_fees(self) -> Self:
        if not self.fee_bps_min <= self.fee_rate_bps <= self.fee_bps_max:
            raise ValueError("fee_rate_bps is not between fee_bps_min and fee_bps_max")
        return self

    @model_validator(mode="after")
    def _check_openings(self) -> Self:
        is_reached = not all(is_loopback(name) for name in (self.listen_host, *self.tls_names))
        if self.opening_links and (is_reached or not self.clock_control):
            raise ValueError("opening_links is for a development stack on the loopback only")
        return self

    @property
    def fee_bounds(self) -> FeeBounds:
        """Between which rates merchants' fee plans are agreed."""
        return FeeBounds(bps_min=self.fee_bps_min, bps_max=self.fee_bps_max)

    @property
    def url(self) -> str:
        """The database."""
        return self.database_url or f"sqlite:///{self.state_dir.absolute() / 'backend.db'}"

    def image_keys(self) -> tuple[ImageKey, ...]:
        """Whose signatures firmware images must carry; ``config_invalid`` for no key."""
        try:
            return tuple(image_key_from_pem(path.read_bytes()) for path in self.firmware_key_files)
        except OSError as error:
            raise CallerError("config_invalid", f"firmware key: {error.strerror}") from None

    @property
    def passphrase_path(self) -> Path:
        """The file that opens the sealed keys."""
        return self.passphrase_file or self.state_dir / "passphrase"

    def passphrase(self) -> bytes:
        """The passphrase; ``config_invalid`` where there is no readable private file."""
        return read_secret(self.passphrase_path, "passphrase file")

    def queue_address(self) -> str:
        """The broker with its password, not to be shown; empty where there is none."""
        return _with_password(self.queue_url, self.queue_password_file, "queue password file")

    def risk_redis_address(self) -> str:
        """Redis with its password, not to be shown; empty where there is none."""
        file = self.risk_redis_password_file
        return _with_password(self.risk_redis_url, file, "Redis password file")

    @field_validator("risk_redis_url")
    @classmethod
    def _check_redis(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        parts = urlsplit(text)
        has_place = parts.path if parts.scheme == "unix" else parts.hostname
        if text and (parts.scheme not in {"redis", "rediss", "unix"} or not has_place):
            raise ValueError("redis://, rediss:// or unix:// and a place")
        return url

    @field_validator("queue_url")
    @classmethod
    def _check_queue(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        parts = urlsplit(text)
        if text and (parts.scheme not in {"amqp", "amqps"} or not parts.hostname):
            raise ValueError("amqp:// or amqps:// and a host")
        return url


def _with_password(address: SecretStr, file: Path | None, what: str) -> str:
    """The address with the file's password in it."""
    url = address.get_secret_value()
    if not url or file is None:
        return url
    password = read_secret(file, what).decode()
    scheme, _, rest = url.partition("://")
    user, _, place = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}:{quote(password, safe='')}@{place}"


def load(file: Path | None) -> Settings:
    """Read the settings; ``CallerError("config_invalid")`` names what is wrong, never its value."""
    return read_settings(Settings, file)
