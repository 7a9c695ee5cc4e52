"""RFC 3161: what we ask, and what of an answer we believe. The stamps are ``openssl ts``'s."""

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import rfc3161ng
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.channels.timestamping import (
    StampAuthority,
    query_digest,
    read_reply,
    read_token,
    write_query,
)
from backend.sandbox.timestamps.stamper import POLICY, Stamper
from protocol.crypto.hashes import sha256
from protocol.errors import CallerError
from tests.support.stampers import authority_of, near_stamper, needs_openssl

pytestmark = needs_openssl
DIGEST, NONCE = sha256(b"all groups"), 2**63 + 7


def asked(digest: bytes = DIGEST, nonce: int = NONCE, policy: str = POLICY) -> bytes:
    return asyncio.run(near_stamper().reply(write_query(digest, nonce, policy=policy)))


@pytest.fixture(scope="module")
def reply() -> bytes:
    return asked()


def openssl(*words: str | Path) -> str:
    done = subprocess.run(["openssl", "ts", *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_stamp_says_when_our_digest_was_there(reply: bytes) -> None:
    authority = authority_of(near_stamper())
    stamp = read_reply(reply, digest=DIGEST, nonce=NONCE, authority=authority)
    assert (stamp.digest, stamp.policy) == (DIGEST, POLICY)
    assert read_token(stamp.token, digest=DIGEST, authority=authority) == stamp
    later = read_reply(asked(), digest=DIGEST, nonce=NONCE, authority=authority)
    assert later.serial > stamp.serial
    assert later.at_ms >= stamp.at_ms


def test_openssl_verifies_the_reply_and_the_token_that_is_kept(
    reply: bytes, tmp_path: Path
) -> None:
    authority = authority_of(near_stamper())
    token = read_reply(reply, digest=DIGEST, nonce=NONCE, authority=authority).token
    query, answer, kept = (tmp_path / name for name in ("q.tsq", "r.tsr", "t.der"))
    query.write_bytes(write_query(DIGEST, NONCE, policy=POLICY))
    answer.write_bytes(reply)
    kept.write_bytes(token)
    ca = near_stamper().authority_file
    assert "Verification: OK" in openssl(
        "-verify", "-queryfile", query, "-in", answer, "-CAfile", ca
    )
    words = ("-verify", "-token_in", "-in", kept, "-CAfile", ca, "-digest")
    assert "Verification: OK" in openssl(*words, DIGEST.hex())
    assert "Verification: FAILED" in openssl(*words, sha256(b"other").hex())


def test_a_second_implementation_verifies_the_token(reply: bytes) -> None:
    token = read_reply(
        reply, digest=DIGEST, nonce=NONCE, authority=authority_of(near_stamper())
    ).token
    stamper = near_stamper().authority_file.with_name("stamper.pem").read_bytes()
    assert rfc3161ng.check_timestamp(
        token, certificate=stamper, digest=DIGEST, hashname="sha256", nonce=NONCE
    )


def test_openssl_reads_our_query_and_prints_no_error(tmp_path: Path) -> None:
    query = tmp_path / "q.tsq"
    query.write_bytes(write_query(DIGEST, NONCE, policy=POLICY))
    text = openssl("-query", "-in", query, "-text")
    assert "Hash Algorithm: sha256" in text
    assert f"Policy OID: {POLICY}" in text
    assert f"Nonce: 0x{NONCE:016X}" in text
    assert query_digest(query.read_bytes()) == DIGEST
    directory = near_stamper().authority_file.parent
    said = subprocess.run(
        ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", query, "-out", "again.tsr"],
        cwd=directory, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "error" not in said.stderr.lower()


def test_what_is_not_about_our_question_is_refused(reply: bytes) -> None:
    authority = authority_of(near_stamper())
    cases = (
        ("another digest", {"digest": sha256(b"other")}),
        ("another nonce", {"nonce": NONCE + 1}),
        ("another policy", {"authority": replace(authority, policy="1.3.6.1.4.1.32473.2")}),
    )
    for reason, change in cases:
        wanted = {"digest": DIGEST, "nonce": NONCE, "authority": authority} | change
        with pytest.raises(CallerError, match=reason):
            read_reply(reply, **wanted)  # type: ignore[arg-type]


def test_another_authority_s_stamp_is_refused(reply: bytes, tmp_path: Path) -> None:
    other = Stamper(tmp_path)
    asyncio.run(other.open())
    with pytest.raises(CallerError, match="certificate"):
        read_reply(reply, digest=DIGEST, nonce=NONCE, authority=authority_of(other))


def test_a_rejection_is_no_stamp() -> None:
    authority = authority_of(near_stamper())
    rejected = asked(policy="1.2.3.4")
    with pytest.raises(CallerError, match="status 2"):
        read_reply(rejected, digest=DIGEST, nonce=NONCE, authority=authority)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda reply: reply[:-1],
        lambda reply: reply + b"\0",
        lambda reply: b"",
        lambda reply: b"0" * 70_000,
        lambda reply: bytes.fromhex("30053003020109"),
    ],
    ids=["short", "long", "empty", "too long", "unknown status"],
)
def test_what_is_not_a_reply_is_refused(reply: bytes, spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CallerError, match="timestamp_invalid"):
        read_reply(spoil(reply), digest=DIGEST, nonce=NONCE, authority=authority_of(near_stamper()))


@settings(max_examples=300)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_what_is_signed_can_be_flipped(place: int, bit: int) -> None:
    """A flipped bit is refused, or it is in a part that nobody signs and changes nothing said."""
    authority = authority_of(near_stamper())
    good = _kept(authority)
    token = bytearray(good)
    token[place % len(token)] ^= 1 << bit
    try:
        stamp = read_token(bytes(token), digest=DIGEST, authority=authority)
    except CallerError as error:
        assert error.code == "timestamp_invalid"
        return
    assert stamp.at_ms == read_token(good, digest=DIGEST, authority=authority).at_ms


_tokens: dict[StampAuthority, bytes] = {}


def _kept(authority: StampAuthority) -> bytes:
    if not _tokens:
        _tokens[authority] = read_reply(
            asked(), digest=DIGEST, nonce=NONCE, authority=authority
        ).token
    return next(iter(_tokens.values()))


def test_a_file_that_is_no_certificate_is_named() -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        StampAuthority.from_pem(b"nothing", POLICY)
