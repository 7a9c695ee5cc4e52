"""Keys for the gateways of other wallets, as configuration names them.

Rule: ``config_invalid`` names the setting, and never what stands in a file.
"""

import base64
import binascii
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_private_key,
)

from backend.limits import GATEWAY_KEY_FILE_BYTES_MAX, GATEWAY_RSA_BITS_MIN
from protocol.errors import CallerError


def private_key(path: Path, setting: str) -> RSAPrivateKey:
    """Our key of a PEM file that only its owner can read."""
    try:
        check_private(path)
        with path.open("rb") as file:
            found = load_pem_private_key(file.read(GATEWAY_KEY_FILE_BYTES_MAX), password=None)
    except (OSError, ValueError, TypeError):
        raise CallerError("config_invalid", setting) from None
    if not isinstance(found, RSAPrivateKey) or found.key_size < GATEWAY_RSA_BITS_MIN:
        raise CallerError("config_invalid", setting)
    return found


def public_key(text: str, setting: str) -> RSAPublicKey:
    """A gateway's key: DER in Base64."""
    try:
        found = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise CallerError("config_invalid", setting) from None
    if not isinstance(found, RSAPublicKey) or found.key_size < GATEWAY_RSA_BITS_MIN:
        raise CallerError("config_invalid", setting)
    return found


def certificates_of(path: Path, setting: str) -> list[x509.Certificate]:
    """The certificates of a PEM file, one at least."""
    try:
        with path.open("rb") as file:
            return x509.load_pem_x509_certificates(file.read(GATEWAY_KEY_FILE_BYTES_MAX))
    except (OSError, ValueError):
        raise CallerError("config_invalid", setting) from None


def check_private(path: Path) -> None:
    """``config_invalid`` for a file that others can read."""
    if path.stat().st_mode & 0o077:
        raise CallerError("config_invalid", f"{path} must not be readable by others")
