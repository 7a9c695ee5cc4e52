"""The whole stack on one machine: made, configured, enrolled and started, each program a process.

Every port is chosen by the system unless the caller names one, so that two stacks live side by
side. All state is below one directory, made anew for every run.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from backend.channels.signed_http import key_text, read_key
from protocol.crypto.keys import VerifyKey
from protocol.enrolment_code import read_code
from protocol.identity import Identity, TlsProfileName
from tillway import join as joining
from tillway.demo.kept_ports import port_settings
from tillway.demo.live_rules import live_rules
from tillway.demo.mosquitto import start_mosquitto
from tillway.demo.phone import Phone
from tillway.demo.ports import HOST, Ports
from tillway.demo.sandbox import FLEET, NETSUNION, OPTIONS, OWN_ACCOUNT, RESERVE_ACCOUNT, Sandbox
from tillway.demo.till import GOODS, Till
from tillway.identity_slots import slot_in_use
from tillway.json_api import JsonApi
from tillway.operator_api import new_code
from tillway.private_files import make_directory, passphrase_in, write_files
from tillway.processes import Program, kill, said_by, start, stop
from tillway.toml_text import toml_text

STORE, MERCHANT, HUB, CHARGER = "store-1", "mch-1", "hub-1", "charger-1"
MOSQUITTO = "mosquitto"
CHARGER_PER_KWH_MINOR = 150
CHARGER_TARIFF = {"merchant_id": MERCHANT, "per_kwh_minor": CHARGER_PER_KWH_MINOR}
SHOP_ZH, SHOP_EN = "晨光便利店", "Morning Light Store"
SHOP_ACCOUNT = "6222020000001234"
OWN_MINOR = 100_000
"""What we have at the bank ourselves; our coupons are paid from it."""
FEE_BPS = 60
BIOMETRIC_ABOVE_MINOR = 50_000
PAGE_URL = "https://pay.example"  # what shown codes say; no telephone but the demo's goes there
PASSPHRASE, PASSWORD = "passphrase", "password"  # files' names
OPERATOR_TOKEN = "operator.token"  # noqa: S105  # a file's name
FOUNDING = "backend.json"

TLS_HELP = "TLS between our programs: p256 (X25519MLKEM768) or sm (TLS_SM4_GCM_SM3)."

Say = Callable[[str], None]


@dataclass(slots=True)
class Stack:
    """The running programs and how to talk to each."""

    root: Path
    ports: Ports
    say: Say
    suite: str = "SM2-SM3"
    """What backend, hub and every machine that is enrolled sign with."""
    tls_profile: TlsProfileName = "p256"
    backend_extra: Mapping[str, Any] = field(default_factory=dict)
    """What the caller sets of the backend's configuration beside what the stack needs."""
    has_charger: bool = False
    """Whether the hub is an EV charger's central system, too."""
    has_mosquitto: bool = False
    """Whether tills and hub meet at Mosquitto in place of the hub's own endpoint."""
    programs: dict[str, Program] = field(default_factory=dict)
    phones: list[Phone] = field(default_factory=list)
    backend_key: VerifyKey | None = None
    _words: dict[str, list[str]] = field(default_factory=dict)
    _kept_ports: dict[str, dict[str, str]] = field(default_factory=dict)
    _token: str = field(default="", repr=False)

    # What there is

    @property
    def ca(self) -> Path:
        """The certificate of our own CA."""
        return self.root / "backend" / "ca" / "ca.crt"

    @property
    def public_url(self) -> str:
        """The backend's public listener."""
        return f"https://{HOST}:{self.programs['backend'].port('public')}"

    @property
    def operator(self) -> JsonApi:
        """The operator's API."""
        return JsonApi(self.public_url, self.ca, self._token)

    @property
    def sandbox(self) -> Sandbox:
        """The other institutions."""
        said = {**self.programs["sandbox"].ready["institutions"]}
        if NETSUNION in self.programs:
            said[NETSUNION] = self.programs[NETSUNION].ready
        return Sandbox(self.root / "sandbox", said)

    @property
    def hub_control(self) -> JsonApi:
        """The hub's status port, with its fault switches."""
        return JsonApi(f"http://{HOST}:{self.programs[HUB].port('http')}")

    def now_ms(self) -> int:
        """The backend's time."""
        return int(self.operator.get("/operator/v1/clock")["now_ms"])

    def till(self, name: str) -> Till:
        """A terminal and its board."""
        token = (self.root / name / "control.token").read_text("ascii").strip()
        api = JsonApi(f"http://{HOST}:{self.programs[name].port('http')}", token=token)
        board = self.programs.get(f"{name}-board")
        controls = None if board is None else JsonApi(f"http://{HOST}:{board.port('http')}")
        machine = self.programs.get(f"{name}-machine")
        keys = None if machine is None else JsonApi(f"http://{HOST}:{machine.port('http')}")
        return Till(name, api, controls, keys)

    @property
    def mqtt(self) -> dict[str, Any]:
        """Where terminals reach the hub."""
        return {"transport": "mqtt", "host": HOST, "port": self.programs[HUB].port("mqtt")}

    @property
    def charger_home(self) -> Path:
        """Where the hub has the charger's identity and password."""
        return self.root / HUB / "chargers" / CHARGER

    @property
    def backend_file(self) -> Path:
        """The backend's configuration."""
        return self.root / "backend.toml"

    # Starting and stopping

    def found_backend(self) -> None:
        """The backend's state directory: keys and the operator's token. Nothing runs yet."""
        make_directory(self.root)
        self._write("backend", self._backend_settings())
        made = self._founded()
        self._token = made["operator_token"]
        self.backend_key = read_key(made["signing_key"])

    def start_core(self, *, notify_url: str | None = None) -> None:
        """Institutions, backend, merchant, store and hub."""
        self.ports.refuse_taken()
        if self.backend_key is None:
            self.found_backend()
        assert self.backend_key is not None
        sandbox = {
            "state_dir": str(self.root / "sandbox"),
            "institution_keys": [key_text(self.backend_key)],
            "options": OPTIONS,
        }
        config = str(self._write("sandbox", sandbox))
        # NetsUnion apart from the others, so that it can lose power alone.
        with ThreadPoolExecutor() as pool:
            fleet = pool.submit(
                self._start, "sandbox", "sandbox", "run", *FLEET, "--config", config
            )
            self._start(NETSUNION, "sandbox", "run", NETSUNION, "--config", config)
            fleet.result()
        self._write("backend", self._backend_settings() | self._institution_settings())
        self._start("backend", "backend", "run", "--config", str(self.backend_file))
        self._found_shop(notify_url)
        if self.has_mosquitto:
            self.say(f"starting {MOSQUITTO}")
            self.programs[MOSQUITTO] = start_mosquitto(self.root)
        self.enrol(HUB, "hub", hub_names=[HOST, "localhost"])
        if self.has_charger:
            self.enrol(CHARGER, "thing", state=self.charger_home)
            passphrase_in(self.charger_home / PASSWORD, create=True)
        self._start(HUB, "hub", "run", "--config", str(self._write(HUB, self._hub_settings())))

    def start_till(self, name: str) -> Till:
        """A POS terminal with a simulated scanner, printer, fingerprint sensor and display."""
        self.enrol(name, "terminal")
        self._start_board(f"{name}-board", "pos")
        devices = self.root / f"{name}-board" / "dev"
        settings = {
            "hub": self.mqtt,
            "sale": {
                "biometric_above_minor": BIOMETRIC_ABOVE_MINOR,
                "methods": ["pay_code", "merchant_qr"] + ["offline_token"] * (name == "pos-1"),
            },
            "goods": GOODS,
            "devices": {
                each: str(devices / each)
                for each in ("scanner", "printer", "fingerprint", "pinpad")
            },
            "customer_display": {"port": str(devices / "display"), "kind": "cd5220"},
        }
        self.start_terminal(name, settings)
        return self.till(name)

    def start_terminal(self, name: str, settings: Mapping[str, Any]) -> None:
        """A terminal that is enrolled, with what it has beside what each has."""
        config = self._write(name, {**self._terminal_settings(name), **settings})
        self._start(name, "terminal", "run", "--config", str(config))

    def start_machine(self, name: str, devices: Mapping[str, Any]) -> JsonApi:
        """A simulated machine, such as a vending machine or a barrier; its control port."""
        file = f"{name}.yaml"
        write_files(self.root, {file: json.dumps({"name": name, "devices": devices}).encode()})
        self._start_board(name, str(self.root / file))
        return JsonApi(f"http://{HOST}:{self.programs[name].port('http')}")

    def enrol(
        self,
        name: str,
        kind: str,
        *,
        hub_names: Sequence[str] = (),
        suite: str = "",
        state: Path | None = None,
    ) -> Identity:
        """Give a machine its keys and certificate by a one-time code. Any thread may ask."""
        state = state or self.root / name
        passphrase = passphrase_in(state / PASSPHRASE, create=True)
        known = slot_in_use(state)
        if known is not None:
            return joining.read_directory(known, passphrase)
        self.say(f"enrolling {name}")
        grant: dict[str, Any] = {"tid": name, "kind": kind, "store": STORE}
        if hub_names:
            grant["names"] = list(hub_names)
        make_directory(state)
        return joining.join(
            state,
            url=self.public_url,
            code=read_code(new_code(self.operator, grant)),
            suite=suite or self.suite,
            passphrase=passphrase,
        )

    def restart(self, name: str, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Start a program again with the words it was started with before, at the ports where it
        was. One that is wanted no more before it is ready is stopped."""
        self._start(name, *self._words[name], env=self._kept_ports[name], is_wanted=is_wanted)

    def cut_power(self, name: str) -> None:
        """Kill a program where it stands."""
        kill(self.programs.pop(name))

    def stop(self) -> None:
        """Stop every program: terminals first, institutions last."""
        for program in reversed(list(self.programs.values())):
            stop(program)
        self.programs.clear()

    # How it is made

    def _start(
        self,
        name: str,
        *words: str,
        env: Mapping[str, str] = MappingProxyType({}),
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.say(f"starting {name}")
        self._words[name] = list(words)
        program = start(
            name, words, log_dir=self.root / "logs", env=env, say=self.say, is_wanted=is_wanted
        )  # fmt: skip
        self.programs[name] = program
        self._kept_ports[name] = port_settings(words, program.ready)

    def _start_board(self, name: str, board: str) -> None:
        """A simulated board: a kind that is built in, or a file."""
        state_dir = str(self.root / name)
        self._start(name, "sim", "run", "--board", board, "--state-dir", state_dir)

    def _founded(self) -> dict[str, str]:
        """What ``backend init`` said, now or when this directory was first used."""
        kept = self.root / FOUNDING
        if not kept.exists():
            said = said_by("backend", "init", "--config", str(self.backend_file))
            files = {FOUNDING: json.dumps(said), OPERATOR_TOKEN: said["operator_token"]}
            write_files(self.root, {name: text.encode() for name, text in files.items()})
        found: dict[str, str] = json.loads(kept.read_text("utf-8"))
        return found

    def _found_shop(self, notify_url: str | None) -> None:
        self.sandbox.open_at_bank(OWN_ACCOUNT, "Tillway", OWN_MINOR)
        self.sandbox.open_at_bank(SHOP_ACCOUNT, SHOP_ZH, 0)
        merchant = {
            "merchant_id": MERCHANT,
            "name": SHOP_ZH,
            "rate_bps": FEE_BPS,
            "payout_bank": "SANDBOX",
            "payout_account_name": SHOP_ZH,
            "payout_account_no": SHOP_ACCOUNT,
            "biometric_above_minor": BIOMETRIC_ABOVE_MINOR,
            "notify_url": notify_url,
        }
        self.operator.post("/operator/v1/merchants", merchant)
        store = {"store": STORE, "merchant_id": MERCHANT, "name": SHOP_ZH}
        self.operator.post("/operator/v1/stores", store)

    def _backend_settings(self) -> dict[str, Any]:
        port = self.ports.backend_public  # of any port no origin can be named beforehand
        origins = [f"https://localhost:{port}"] if port else []
        return {
            "state_dir": str(self.root / "backend"),
            "public_port": self.ports.backend_public,
            "hub_port": self.ports.backend_hub,
            "clock_control": True,
            "opening_links": True,
            "wallet": {"failure_switches": True, "origins": origins},
            "tls_profile": self.tls_profile,
            "signing_suite": self.suite,
            "risk_live_rules": live_rules(),
            **self.backend_extra,
        }

    def _institution_settings(self) -> dict[str, Any]:
        return {
            "institutions": self.sandbox.backend_settings(),
            "reserve_account": RESERVE_ACCOUNT,
            "own_account": OWN_ACCOUNT,
            "callbacks_to_private_addresses": True,
        }

    def _hub_settings(self) -> dict[str, Any]:
        return {
            "state_dir": str(self.root / HUB),
            "fault_control": True,
            "tls_profile": self.tls_profile,
            "backend": {"url": f"https://{HOST}:{self.programs['backend'].port('hub')}"},
            "mqtt": self._mqtt_settings(),
            "coap": {"host": HOST, "port": self.ports.hub_coap},
            "http": {"port": self.ports.hub_http},
            "offline": {"payment_minor_max": {"new": 5_000}},
            "ocpp": {
                "port": 0,
                "chargers": [{"name": CHARGER, **CHARGER_TARIFF}] * self.has_charger,
            },
        }

    def _mqtt_settings(self) -> dict[str, Any]:
        broker = self.programs.get(MOSQUITTO)
        if broker is None:
            return {"host": HOST, "port": self.ports.hub_mqtt}
        return {"mode": "external", "host": HOST, "port": broker.port("mqtt")}

    def _terminal_settings(self, name: str) -> dict[str, Any]:
        return {
            "state_dir": str(self.root / name),
            "tls_profile": self.tls_profile,
            "http": {"port": self.ports.till if name == "pos-1" else 0},
            "merchant": {"id": MERCHANT, "zh": SHOP_ZH, "en": SHOP_EN, "till": name},
            "scan": {"wallets": ["wechat", "alipay", "unionpay"]},
            "reading": {"source": "simulated"},  # the terminals share one machine
        }

    def _write(self, name: str, settings: Mapping[str, Any]) -> Path:
        path = self.root / f"{name}.toml"
        path.write_text(toml_text(settings), encoding="utf-8")
        return path
