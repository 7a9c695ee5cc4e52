"""Stamps made by ``openssl ts``, with an authority, a key and a certificate of its own.

The time in a stamp is the machine's: ``openssl ts`` takes no other, so that the institution's own
clock cannot be put forward here.
"""

import asyncio
import shutil
from pathlib import Path

from backend.sandbox.timestamps.limits import (
    CERTIFICATE_DAYS,
    KEY_BITS,
    KEY_TIMEOUT_S,
    OPENSSL_TIMEOUT_S,
)
from protocol.errors import OperatingError

POLICY = "1.3.6.1.4.1.32473.1"
"""Under the number that IANA keeps for examples (RFC 5612)."""
_OTHER_POLICY = "1.3.6.1.4.1.32473.2"
_AUTHORITY = "/O=Tillway sandbox/CN=Time stamping authority"
_STAMPER = "/O=Tillway sandbox/CN=Time stamper 1"
# RFC 3161 §2.3 wants the extended usage critical and alone; §2.4.2 the name in ``tsa`` as the
# certificate has it, and RFC 5816 the certificate named by a SHA-256 hash.
_CONFIG = f"""\
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[certificate]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = stamper
[stamper]
serial = serial
crypto_device = builtin
signer_cert = stamper.pem
signer_key = stamper.key
certs = ca.pem
signer_digest = sha256
default_policy = {POLICY}
other_policies = {_OTHER_POLICY}
digests = sha256, sha384, sha512
accuracy = secs:1
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_chain = yes
ess_cert_id_alg = sha256
"""


class Stamper:
    """The files of one time stamper in a directory, and the program that works on them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stamping = asyncio.Lock()

    @property
    def authority_file(self) -> Path:
        """The certificate that whoever checks a stamp must have."""
        return self._directory / "ca.pem"

    async def open(self) -> None:
        """Make authority, key and certificate where there are none. ``openssl`` must be there."""
        if shutil.which("openssl") is None:
            raise OperatingError("config_invalid", "the time stamper needs the openssl program")
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._directory / "ts.cnf").write_text(_CONFIG, "ascii")
        if (self._directory / "stamper.pem").exists():
            return
        await self._make_key("ca.key")
        await self._openssl(
            "req", "-x509", "-new", "-key", "ca.key", "-config", "ts.cnf", "-subj", _AUTHORITY,
            "-extensions", "authority", "-days", str(CERTIFICATE_DAYS), "-out", "ca.pem",
        )  # fmt: skip
        await self._make_key("stamper.key")
        await self._openssl(
            "req", "-new", "-key", "stamper.key", "-config", "ts.cnf", "-subj", _STAMPER,
            "-out", "stamper.csr",
        )  # fmt: skip
        (self._directory / "serial").write_text("01\n", "ascii")
        # Last, under another name first: what is half made is made anew.
        await self._openssl(
            "x509", "-req", "-in", "stamper.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-set_serial", "1", "-extfile", "ts.cnf", "-extensions", "certificate",
            "-days", str(CERTIFICATE_DAYS), "-out", "stamper.new",
        )  # fmt: skip
        (self._directory / "stamper.new").rename(self._directory / "stamper.pem")

    async def reply(self, query: bytes) -> bytes:
        """The TimeStampResp to a TimeStampReq; a query that is none gets a rejection in it."""
        async with self._stamping:
            (self._directory / "query.tsq").write_bytes(query)
            await self._openssl(
                "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr"
            )
            return (self._directory / "reply.tsr").read_bytes()

    async def _make_key(self, name: str) -> None:
        (self._directory / name).touch(mode=0o600)
        await self._openssl(
            "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{KEY_BITS}",
            "-out", name, timeout_s=KEY_TIMEOUT_S,
        )  # fmt: skip

    async def _openssl(self, *arguments: str, timeout_s: int = OPENSSL_TIMEOUT_S) -> None:
        program = await asyncio.create_subprocess_exec(
            "openssl",
            *arguments,
            cwd=self._directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(timeout_s):
                said, _ = await program.communicate()
        except TimeoutError:
            program.kill()
            await program.wait()
            raise OperatingError("timeout", f"openssl {arguments[0]}") from None
        if program.returncode:
            raise OperatingError("internal", f"openssl {arguments[0]}: {said[-200:]!r}")
