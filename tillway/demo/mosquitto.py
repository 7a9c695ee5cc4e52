"""Debian's Mosquitto between the tills and the hub, with the configuration that we ship.

It is set up as ``docs/runbook/broker.md`` tells an operator to, on this machine.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from protocol.errors import CallerError, OperatingError
from tillway.demo.ports import HOST, lasting_port
from tillway.private_files import make_directory, write_files
from tillway.processes import Program, log_tail, run_command, stop

SHIPPED: Final = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
PROGRAM: Final = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
CA, CERTIFICATE, KEY, REQUEST, ACL = "ca.pem", "broker.pem", "broker.key", "broker.csr", "acl"
_LISTENS_S: Final = 60
_LOOK_S: Final = 0.05


def configuration(port: int, *, ca: Path, certificate: Path, key: Path, acl: Path) -> str:
    """What we ship, for a broker on this port of the loopback with its files at these places."""
    places = {
        "listener 8883": f"listener {port} {HOST}",
        "/etc/tillway/ca.pem": str(ca),
        "/etc/tillway/broker.pem": str(certificate),
        "/etc/tillway/broker.key": str(key),
        "/etc/tillway/acl": str(acl),
    }
    shipped = (SHIPPED / "mosquitto.conf").read_text("utf-8")
    filled = re.sub("|".join(places), lambda found: places[found[0]], shipped)
    # Started by root it would become another user, who may not read the key.
    return f"{filled}\nuser root\n" if os.geteuid() == 0 else filled


def key_and_request() -> tuple[bytes, bytes]:
    """A new key, and the request for its certificate, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        request.sign(key, SHA256()).public_bytes(Encoding.PEM),
    )


def start_mosquitto(root: Path) -> Program:
    """Certify a broker by the CA of this stack's backend and start it on a port of its own; it
    listens, and ends when we end.

    ``CallerError("config_invalid")`` where there is none.
    """
    if PROGRAM is None:
        raise CallerError("config_invalid", "no Mosquitto here: apt-get install mosquitto")
    folder, backend = root / "mosquitto", root / "backend"
    make_directory(folder)
    key, request = key_and_request()
    ca, acl = (backend / "ca" / "ca.crt").read_bytes(), (SHIPPED / "acl").read_bytes()
    write_files(folder, {KEY: key, REQUEST: request, CA: ca, ACL: acl})
    run_command(
        "enroll", "broker", "--state", str(backend), "--csr", str(folder / REQUEST),
        "--out", str(folder / CERTIFICATE), "--host", HOST,
    )  # fmt: skip
    port = lasting_port()
    text = configuration(
        port,
        ca=folder / CA,
        certificate=folder / CERTIFICATE,
        key=folder / KEY,
        acl=folder / ACL,
    )
    write_files(folder, {"mosquitto.conf": text.encode()})
    return _started([PROGRAM, "-c", str(folder / "mosquitto.conf")], port, root / "logs")


def _started(words: list[str], port: int, log_dir: Path) -> Program:
    log = log_dir / "mosquitto.log"
    log_dir.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        begin = os.fstat(sink.fileno()).st_size
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *words],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    program = Program("mosquitto", process, {"ports": {"mqtt": port}}, log, begin)
    deadline = time.monotonic() + _LISTENS_S
    while time.monotonic() < deadline and program.is_running:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return program
        time.sleep(_LOOK_S)
    stop(program)
    raise OperatingError("internal", "mosquitto does not listen:\n" + "\n".join(log_tail(program)))
