"""New keys for a machine: by both its keys, of its own certificate, and once."""

from dataclasses import replace

import pytest

from backend.identity.enrolment import Grant
from backend.identity.memory import MemoryRegistry
from backend.identity.service import EnrolmentService
from protocol import cose
from protocol.crypto import SigningKey, generate
from protocol.introduction import Introduction, open_introduction
from protocol.messages.enrolment import JoinAnswer, RotateRequest
from tests.support.enrolment import (
    BACKEND_KEY,
    CA,
    GRANT,
    NOW_MS,
    OTHER_CA,
    Machine,
    joined,
    new_code,
    refused,
    run,
)


def rotation(
    new: Machine, certificate: bytes, signer: SigningKey, *, tid: str = "t-1", at_ms: int = NOW_MS
) -> bytes:
    request = RotateRequest.signed(
        tid, at_ms=at_ms, csr=new.csr, key=new.key, certificate=certificate
    )
    return cose.sign1(signer, request.to_bytes())


def rotation_of(new: Machine, certificate: bytes, *, at_ms: int) -> RotateRequest:
    return RotateRequest.signed(
        "t-1", at_ms=at_ms, csr=new.csr, key=new.key, certificate=certificate
    )


def test_a_machine_renews_its_keys_with_both_of_them(
    service: EnrolmentService, registry: MemoryRegistry
) -> None:
    old, answer = joined(service)
    new = Machine("SM2-SM3")
    signed = rotation(new, answer.chain[0], old.key)
    renewed = run(service.rotate(signed, now_ms=NOW_MS))
    assert registry.devices["t-1"].key == new.key.public
    assert renewed.chain[0] != answer.chain[0]
    assert CA.holder_of(renewed.chain[0]) == CA.holder_of(answer.chain[0])
    run(service.rotate(signed, now_ms=NOW_MS))  # the machine did not hear us and asks again


def test_a_rotated_hub_keeps_its_host_names(service: EnrolmentService) -> None:
    hub = Machine()
    names = ("hub.example", "127.0.0.1")
    code = new_code(service, Grant(tid="h-1", kind="hub", store="s-1", names=names))
    answer = run(service.join(hub.asks(code), now_ms=NOW_MS))
    signed = rotation(Machine(), answer.chain[0], hub.key, tid="h-1")
    renewed = run(service.rotate(signed, now_ms=NOW_MS))
    assert CA.holder_of(renewed.chain[0]).names == names


def test_a_hub_is_introduced_with_each_of_its_keys_and_no_other_machine_is(
    service: EnrolmentService,
) -> None:
    old, new = Machine(), Machine()
    code = new_code(service, Grant(tid="h-1", kind="hub", store="s-1"))
    answer = run(service.join(old.asks(code), now_ms=NOW_MS))
    signed = rotation(new, answer.chain[0], old.key, tid="h-1")
    renewed = run(service.rotate(signed, now_ms=NOW_MS))
    for given, hub in ((answer, old), (renewed, new)):
        said = JoinAnswer.from_bytes(given.to_bytes()).introduction
        met = open_introduction(said, BACKEND_KEY.public)
        assert met == Introduction("h-1", "s-1", hub.key.public)
    _, of_a_terminal = joined(service)
    assert JoinAnswer.from_bytes(of_a_terminal.to_bytes()).introduction == b""


@pytest.mark.parametrize(
    ("status", "code"), [("revoked", "device_revoked"), ("suspended", "device_suspended")]
)
def test_a_stopped_device_cannot_rotate(
    service: EnrolmentService, registry: MemoryRegistry, status: str, code: str
) -> None:
    old, answer = joined(service)
    registry.devices["t-1"] = replace(registry.devices["t-1"], status=status)
    with refused(code):
        run(service.rotate(rotation(Machine(), answer.chain[0], old.key), now_ms=NOW_MS))
    assert registry.devices["t-1"].key == old.key.public


def test_rotation_by_another_key_or_for_another_device_is_refused(
    service: EnrolmentService, registry: MemoryRegistry
) -> None:
    old, answer = joined(service)
    stranger = Machine()
    with refused("signature_invalid"):
        run(service.rotate(rotation(stranger, answer.chain[0], stranger.key), now_ms=NOW_MS))
    with refused("device_unknown"):
        signed = rotation(stranger, answer.chain[0], old.key, tid="t-9")
        run(service.rotate(signed, now_ms=NOW_MS))
    for at_ms in (NOW_MS - 10**6, NOW_MS + 10**6):
        with refused("envelope_stale"):
            signed = rotation(stranger, answer.chain[0], old.key, at_ms=at_ms)
            run(service.rotate(signed, now_ms=NOW_MS))
    assert registry.devices["t-1"].key == old.key.public


def test_rotation_without_proof_of_the_new_key_is_refused(service: EnrolmentService) -> None:
    old, answer = joined(service)
    new = Machine()
    request = RotateRequest.signed(
        "t-1", at_ms=NOW_MS, csr=new.csr, key=new.key, certificate=answer.chain[0]
    )
    stolen = replace(request, key=generate("Ed25519").public)
    with refused("signature_invalid"):
        run(service.rotate(cose.sign1(old.key, stolen.to_bytes()), now_ms=NOW_MS))


def test_rotation_needs_our_own_certificate_of_the_same_device(service: EnrolmentService) -> None:
    old, _ = joined(service)
    code = new_code(service, replace(GRANT, tid="t-2"))
    neighbour = run(service.join(Machine().asks(code), now_ms=NOW_MS))
    from backend.identity.ca import Holder

    foreign = OTHER_CA.issue(old.csr, Holder("terminal", "t-1"), now_ms=NOW_MS)
    for certificate in (neighbour.chain[0], foreign, CA.certificate_der, b"", b"nonsense"):
        with refused("identity_mismatch"):
            run(service.rotate(rotation(Machine(), certificate, old.key), now_ms=NOW_MS))


def test_a_lost_answer_is_asked_for_again_and_nothing_else_may_pass_for_that(
    service: EnrolmentService, registry: MemoryRegistry
) -> None:
    old, answer = joined(service)
    new, stranger = Machine(), Machine()
    first = rotation_of(new, answer.chain[0], at_ms=NOW_MS)
    run(service.rotate(cose.sign1(old.key, first.to_bytes()), now_ms=NOW_MS))
    later = NOW_MS + 30 * 24 * 3600 * 1000
    again = rotation_of(new, answer.chain[0], at_ms=later)
    run(service.rotate(cose.sign1(old.key, again.to_bytes()), now_ms=later))
    neighbour = new_code(service, replace(GRANT, tid="t-2"))
    other = run(service.join(Machine().asks(neighbour), now_ms=NOW_MS)).chain[0]
    for forged in (
        replace(first, requested_at_ms=later),
        replace(first, certificate=other),
        replace(first, csr=stranger.csr),
    ):
        for signer in (stranger.key, old.key):
            with refused("signature_invalid"):
                run(service.rotate(cose.sign1(signer, forged.to_bytes()), now_ms=later))
    with refused("envelope_stale"):
        run(service.rotate(cose.sign1(old.key, first.to_bytes()), now_ms=later))
    assert registry.devices["t-1"].key == new.key.public
