"""Archives for Debian's ``swupdate``: cpio with checksums, a signed ``sw-description`` first."""

import datetime as dt
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    pkcs7,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Maker:
    """Who signs archives: a certificate for e-mail, as ``swupdate`` expects it, and its key."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def found(cls) -> "Maker":
        """A maker with new keys."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "maker")])
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
            )
        )
        return cls(key, made.sign(key, hashes.SHA256()))

    def write_certificate(self, path: Path) -> Path:
        """For the machine's ``-k``."""
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path

    def sign(self, content: bytes) -> bytes:
        """A detached CMS signature."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        signed = builder.add_signer(self.certificate, self.key, hashes.SHA256())
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        return signed.sign(Encoding.DER, options)

    def archive(self, content: bytes, target: Path, *, version: str, script: str = "") -> bytes:
        """An archive that puts one file at a place, for the board ``till`` of revision 1.0.
        ``script`` is run with ``preinst`` and with ``postinst``."""
        digest = hashlib.sha256(content).hexdigest()
        described = (
            script
            and f"""
  scripts: ({{
    filename = "steps.sh";
    type = "shellscript";
    sha256 = "{hashlib.sha256(script.encode()).hexdigest()}";
  }});"""
        )
        description = f"""software = {{
  version = "{version}";
  hardware-compatibility: [ "1.0" ];
  files: ({{
    filename = "payload.txt";
    path = "{target}";
    sha256 = "{digest}";
  }});{described}
}}
""".encode()
        files = {
            "sw-description": description,
            "sw-description.sig": self.sign(description),
            **({"steps.sh": script.encode()} if script else {}),
            "payload.txt": content,
        }
        return cpio(files)


def cpio(files: dict[str, bytes]) -> bytes:
    """The "newc with checksum" form: headers of hexadecimal numbers, all padded to four bytes."""
    out = io.BytesIO()
    for number, (name, content) in enumerate([*files.items(), ("TRAILER!!!", b"")], start=1):
        checksum = sum(content) & 0xFFFFFFFF
        fields = (number, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, checksum)
        if name == "TRAILER!!!":
            fields = (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(name) + 1, 0)
        out.write(b"070702" + "".join(f"{field:08X}" for field in fields).encode())
        for part in (name.encode() + b"\0", content):
            out.write(part)
            out.write(b"\0" * (-out.tell() % 4))
    return out.getvalue()
