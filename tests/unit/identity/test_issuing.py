"""What our CA certifies of a request: its key, and nothing that it wishes."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from backend.identity.ca import CertificateAuthority, Holder
from protocol.crypto.tls_keys import TlsKey
from protocol.errors import CallerError
from tillway.enroll import _now_ms

NOW_MS = _now_ms()
CA = CertificateAuthority.create("Test CA", now_ms=NOW_MS)


def test_only_the_key_of_a_request_is_used_not_its_wishes() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    greedy = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backend")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("backend.example")]), critical=False
        )
        .sign(key, SHA256())
        .public_bytes(Encoding.DER)
    )
    issued = x509.load_der_x509_certificate(
        CA.issue(greedy, Holder("terminal", "t-1"), now_ms=NOW_MS)
    )
    assert issued.subject.rfc4514_string() == "CN=t-1"
    assert not issued.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == []


@pytest.mark.parametrize("curve", [ec.SECP384R1(), None])
def test_a_request_with_another_kind_of_key_is_refused(curve: ec.EllipticCurve | None) -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = (
        builder.sign(ec.generate_private_key(curve), SHA256())
        if curve
        else builder.sign(ed25519.Ed25519PrivateKey.generate(), None)
    )
    with pytest.raises(CallerError, match="certificate request"):
        CA.issue(request.public_bytes(Encoding.DER), Holder("terminal", "t"), now_ms=NOW_MS)


@pytest.mark.parametrize(
    "holder",
    [
        Holder("root", "x"),
        Holder("terminal", "a b"),
        Holder("terminal", ""),
        Holder("terminal", "t-1", ("example.com",)),
        Holder("hub", "h-1", ("*.example.com",)),
    ],
)
def test_a_holder_that_fits_no_profile_gets_nothing(holder: Holder) -> None:
    with pytest.raises(CallerError, match="field_invalid"):
        CA.issue(TlsKey().request(), holder, now_ms=NOW_MS)


def test_serials_are_random() -> None:
    request = TlsKey().request()
    issued = [CA.issue(request, Holder("terminal", "t"), now_ms=NOW_MS) for _ in range(3)]
    assert len({x509.load_der_x509_certificate(der).serial_number for der in issued}) == 3
