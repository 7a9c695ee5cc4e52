"""``tillway enroll``: give the backend, hubs and devices their identity.

On the backend's machine: ``init`` and ``broker``. On the operator's: ``code``, ``suspend``,
``resume``, ``revoke``. On the machine that joins: ``join`` and ``rotate``.
"""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from protocol.crypto.suites import DEFAULT_SUITE
from protocol.enrolment_code import read_code
from protocol.errors import CallerError
from protocol.identity import Identity
from tillway import join as joining
from tillway.asking import asked
from tillway.json_api import JsonApi
from tillway.key_homes import FileKeys, KeyHome
from tillway.limits import SECRET_FILE_BYTES_MAX
from tillway.operator_api import change_device, new_code
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.private_files import passphrase_in, read_files, write_files

app = typer.Typer(
    help="Give devices and hubs their identity.", add_completion=False, no_args_is_help=True
)

State = Annotated[Path, typer.Option(help="The program's private directory.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help="Opens the sealed keys; made (mode 0600) if missing. [STATE/passphrase]"),
]
Tid = Annotated[str, typer.Argument(help="The device's name.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the device's history.")]
Suite = Annotated[str, typer.Option(help="SM2-SM3, ES256 or Ed25519.")]

Element = Annotated[
    str | None,
    typer.Option(help="The port of a secure element that makes and keeps the key; implies ES256."),
]
ElementPinFile = Annotated[
    Path | None, typer.Option(help="The element's PIN, 4 to 16 bytes. [STATE/element-pin]")
]


class Kind(StrEnum):
    """What may be enrolled."""

    TERMINAL = "terminal"
    THING = "thing"
    HUB = "hub"


@app.command()
def init(
    state: State,
    host: Annotated[list[str], typer.Option(help="A host name or address of the backend.")],
    name: Annotated[str, typer.Option(help="What the CA is called.")] = "Tillway",
    suite: Suite = DEFAULT_SUITE,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the CA and the backend's own keys in STATE/ca and STATE/identity."""
    from backend.identity.founding import CA_CERTIFICATE, found
    from protocol.crypto.tls_keys import der_of_pem
    from protocol.enrolment_code import fingerprint_of

    if (state / CA_CERTIFICATE).exists():
        raise CallerError("config_invalid", f"{state / CA_CERTIFICATE} exists already")
    passphrase = passphrase_in(_passphrase_file(state, passphrase_file), create=True)
    files = found(
        name=name, host_names=tuple(host), suite=suite, passphrase=passphrase, now_ms=_now_ms()
    )
    # The CA's certificate is written last: it says that everything else is there.
    last = files.pop(CA_CERTIFICATE)
    write_files(state, files)
    write_files(state, {CA_CERTIFICATE: last})
    typer.echo(f"CA {fingerprint_of(der_of_pem(last))} in {state}")


@app.command("sm")
def add_sm(
    state: State,
    host: Annotated[list[str], typer.Option(help="A host name or address of the backend.")],
    name: Annotated[str, typer.Option(help="What the CA is called.")] = "Tillway",
    passphrase_file: PassphraseFile = None,
) -> None:
    """Add an SM2 CA to an installation that was made without one.

    Its machines get their SM2 certificates by ``rotate``.
    """
    from backend.identity.founding import CA_CERTIFICATE, SM_CA_CERTIFICATE, found_sm

    if not (state / CA_CERTIFICATE).exists():
        raise CallerError("config_invalid", f"no CA in {state}")
    if (state / SM_CA_CERTIFICATE).exists():
        raise CallerError("config_invalid", f"{state / SM_CA_CERTIFICATE} exists already")
    passphrase = passphrase_in(_passphrase_file(state, passphrase_file))
    files = found_sm(name=name, host_names=tuple(host), passphrase=passphrase, now_ms=_now_ms())
    write_files(state, files)
    typer.echo(f"SM2 CA in {state}; restart the backend, then rotate each machine's keys")


@app.command()
def broker(
    state: State,
    csr: Annotated[Path, typer.Option(help="The broker's certificate request, PEM.")],
    out: Annotated[Path, typer.Option(help="Where its certificate goes, PEM.")],
    host: Annotated[list[str], typer.Option(help="A host name or address of the broker.")],
    name: Annotated[str, typer.Option(help="What the broker is called.")] = "broker",
    passphrase_file: PassphraseFile = None,
) -> None:
    """Certify an external MQTT broker, with the CA in STATE/ca."""
    from backend.identity.broker import certify_broker
    from backend.identity.ca import CertificateAuthority
    from backend.identity.founding import CA_CERTIFICATE, CA_KEY

    files = read_files(state, (CA_CERTIFICATE, CA_KEY))
    if len(files) < 2:
        raise CallerError("config_invalid", f"no CA in {state}")
    passphrase = passphrase_in(_passphrase_file(state, passphrase_file))
    ca = CertificateAuthority.load(files[CA_CERTIFICATE], files[CA_KEY], passphrase)
    certificate = certify_broker(
        ca, _read(csr), name=name, host_names=tuple(host), now_ms=_now_ms()
    )
    write_files(out.parent, {out.name: certificate})
    typer.echo(f"broker {name} at {', '.join(host)}: {out}")


@app.command()
def code(
    device: Annotated[str, typer.Option(help="The name that the machine will have.")],
    kind: Annotated[Kind, typer.Option(help="A till is a terminal, any other machine a thing.")],
    store: Annotated[str, typer.Option(help="The store it belongs to.")],
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    host: Annotated[list[str] | None, typer.Option(help="A hub's host name or address.")] = None,
    hub_url: Annotated[list[str] | None, typer.Option(help="Where the device finds it.")] = None,
    valid_s: Annotated[int, typer.Option(help="How long the code is good.")] = 900,
) -> None:
    """Print a one-time code for a machine."""
    grant = {
        "tid": device,
        "kind": kind.value,
        "store": store,
        "names": host or [],
        "hub_urls": hub_url or [],
        "valid_s": valid_s,
    }
    typer.echo(new_code(api_of(url, ca, token_file), grant))


@app.command()
def join(
    state: State,
    url: Url,
    code_file: Annotated[
        Path | None, typer.Option(help="A file with the code; without it, it is asked for.")
    ] = None,
    suite: Suite = DEFAULT_SUITE,
    passphrase_file: PassphraseFile = None,
    element: Element = None,
    element_pin_file: ElementPinFile = None,
) -> None:
    """Make this machine's keys and enrol it with a one-time code."""
    # Not an argument: other users of the machine can read a command line.
    typed = _secret(code_file) if code_file else asked("Code: ")
    passphrase = passphrase_in(_passphrase_file(state, passphrase_file), create=True)
    printed = read_code(typed)
    suite, home = _home(state, suite, passphrase, element, element_pin_file)
    _say(joining.join(state, url=url, code=printed, suite=suite, passphrase=passphrase, home=home))


@app.command()
def rotate(
    state: State,
    suite: Suite = DEFAULT_SUITE,
    passphrase_file: PassphraseFile = None,
    element: Element = None,
    element_pin_file: ElementPinFile = None,
    before_days: Annotated[
        int | None,
        typer.Option(min=0, help="Only if the certificate ends within so many days."),
    ] = None,
) -> None:
    """Renew this machine's keys and certificate. The key before is taken for ten minutes more."""
    if before_days is not None:
        left = joining.days_left(state, now_ms=_now_ms())
        if left > before_days:
            typer.echo(f"the certificate is good for {left} days more")
            return
    passphrase = passphrase_in(_passphrase_file(state, passphrase_file))
    suite, home = _home(state, suite, passphrase, element, element_pin_file)
    _say(joining.rotate(state, suite=suite, passphrase=passphrase, now_ms=_now_ms, home=home))


@app.command()
def suspend(tid: Tid, url: Url, ca: Ca, token_file: TokenFile, reason: Reason = "") -> None:
    """Stop a device for now."""
    _change(tid, "suspend", api_of(url, ca, token_file), reason)


@app.command()
def resume(tid: Tid, url: Url, ca: Ca, token_file: TokenFile, reason: Reason = "") -> None:
    """Let a suspended device work again."""
    _change(tid, "resume", api_of(url, ca, token_file), reason)


@app.command()
def revoke(tid: Tid, url: Url, ca: Ca, token_file: TokenFile, reason: Reason = "") -> None:
    """Stop a device for ever."""
    _change(tid, "revoke", api_of(url, ca, token_file), reason)


def _home(
    state: Path, suite: str, passphrase: bytes, element: str | None, pin_file: Path | None
) -> tuple[str, KeyHome]:
    """The suite, and where the key is made."""
    if element is None:
        return suite, FileKeys(suite, passphrase)
    from terminal.adapters.secure_element import SUITE
    from tillway.element_keys import ElementKeys

    pin = passphrase_in(pin_file or state / "element-pin")
    return SUITE, ElementKeys(element, pin, passphrase)


def _change(tid: str, command: str, operator: JsonApi, reason: str) -> None:
    row = change_device(operator, tid, command, reason)
    typer.echo(f"{tid} {row.get('status', command)}")


def _secret(file: Path) -> str:
    try:
        return _read(file).decode("ascii").strip()
    except UnicodeDecodeError:
        raise CallerError("config_invalid", f"cannot read {file}") from None


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(SECRET_FILE_BYTES_MAX)
    except OSError:
        raise CallerError("config_invalid", f"cannot read {file}") from None


def _passphrase_file(state: Path, named: Path | None) -> Path:
    return named or state / "passphrase"


def _say(identity: Identity) -> None:
    facts, kid = identity.facts, identity.public.kid.hex()
    typer.echo(f"{facts.kind} {facts.name} of store {facts.store}, key {kid}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
