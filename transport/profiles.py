"""The TLS profiles of our own lines: what both ends agree on, and nothing weaker.

Rule 1: TLS 1.3 only. What does not stand in a profile is never agreed on, whoever offers it.
Rule 2: the first group holds against a quantum computer, and two programs of ours always take it:
        the handshake signs what was offered (RFC 8446 §4.4.3), so nobody between can strike it out.
        The second is its classical half, for peers of others that have no more.
"""

from dataclasses import dataclass

from protocol.identity import TlsProfileName


@dataclass(frozen=True, slots=True)
class Profile:
    """Names as OpenSSL writes them, the preferred first."""

    name: TlsProfileName
    suites: tuple[str, ...]
    groups: tuple[str, ...]
    signatures: tuple[str, ...]


P256 = Profile(
    "p256",
    suites=("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"),
    groups=("X25519MLKEM768", "X25519", "P-256"),
    signatures=("ECDSA+SHA256",),
)
"""NIST's and Bernstein's curves; X25519MLKEM768 is of draft-ietf-tls-ecdhe-mlkem."""

SM = Profile(
    "sm",
    suites=("TLS_SM4_GCM_SM3",),
    groups=("curveSM2MLKEM768", "curveSM2"),
    signatures=("sm2sig_sm3",),
)
"""RFC 8998, and the hybrid of its curve (draft-yang-tls-hybrid-sm2-mlkem)."""
