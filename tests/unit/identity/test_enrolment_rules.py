"""One-time codes: the printed form, the rules of use, and the service around them."""

import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.identity import enrolment
from backend.identity.enrolment import Grant
from backend.identity.limits import CODE_ATTEMPTS_MAX, CODE_VALID_MS, CODE_VALID_MS_MAX
from backend.identity.memory import MemoryRegistry
from backend.identity.service import EnrolmentService
from protocol.crypto import generate
from protocol.crypto.tls_keys import TlsKey
from protocol.enrolment_code import PrintedCode, mint_code, read_code
from protocol.errors import CallerError
from protocol.messages.enrolment import JoinAnswer, JoinRequest, RotateRequest
from tests.support.enrolment import (
    BACKEND_KEY,
    CA,
    GRANT,
    NOW_MS,
    OTHER_CA,
    Machine,
    new_code,
    refused,
    run,
)

# The printed form


@given(st.binary(min_size=10, max_size=10))
def test_a_printed_code_is_read_back_however_it_is_typed(random_bytes: bytes) -> None:
    code = mint_code(random_bytes, b"a certificate")
    text = code.text()
    assert len(text.split("-")) == 8
    for typed in (text, text.lower(), text.replace("-", ""), f" {text} ", text.replace("0", "o")):
        assert read_code(typed) == code
    assert read_code(text.replace("1", "l")).digest() == code.digest()


@given(st.text(max_size=60))
def test_arbitrary_text_is_a_code_or_the_caller_s_mistake(typed: str) -> None:
    with contextlib.suppress(CallerError):
        read_code(typed)


def test_a_code_names_its_ca_and_no_other() -> None:
    code = mint_code(bytes(10), CA.certificate_der)
    assert code.names_ca(CA.certificate_der)
    assert not code.names_ca(OTHER_CA.certificate_der)
    assert code.fingerprint == CA.fingerprint


def test_the_secret_is_neither_shown_nor_stored(
    service: EnrolmentService, registry: MemoryRegistry
) -> None:
    code = new_code(service)
    assert code.secret not in repr(code)
    assert code.secret not in repr(registry.codes)
    assert code.secret not in repr(Machine().asks(code))
    assert code.secret in code.text().replace("-", "")


def test_codes_differ(service: EnrolmentService) -> None:
    assert len({new_code(service).text() for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "grant",
    [
        replace(GRANT, tid="a/b"),
        replace(GRANT, store=""),
        replace(GRANT, kind="backend"),
        replace(GRANT, kind="operator"),
        replace(GRANT, names=("backend.example",)),
        Grant(tid="h", kind="hub", store="s", names=("*.example",)),
        Grant(tid="h", kind="hub", store="s", names=("a",) * 9),
        replace(GRANT, hub_urls=("x" * 201,)),
    ],
)
def test_nobody_is_granted_what_is_not_theirs(service: EnrolmentService, grant: Grant) -> None:
    with refused("field_invalid"):
        new_code(service, grant)


@pytest.mark.parametrize("valid_ms", [0, -1, CODE_VALID_MS_MAX + 1])
def test_a_code_has_an_end(service: EnrolmentService, valid_ms: int) -> None:
    with refused("field_invalid"):
        run(service.issue_code(GRANT, issued_by="o", now_ms=NOW_MS, valid_ms=valid_ms))


# Joining


def test_a_machine_with_a_code_becomes_what_the_code_grants(
    service: EnrolmentService, registry: MemoryRegistry
) -> None:
    machine, code = Machine(), new_code(service)
    answer = run(service.join(machine.asks(code), now_ms=NOW_MS + 1))
    assert (answer.tid, answer.kind, answer.store) == ("t-1", "terminal", "s-1")
    assert answer.backend_keys == (BACKEND_KEY.public,)
    assert answer.hub_urls == GRANT.hub_urls
    assert answer.chain[1] == CA.certificate_der
    assert CA.holder_of(answer.chain[0]).name == "t-1"
    assert registry.devices["t-1"].key == machine.key.public
    assert registry.devices["t-1"].status == "active"


def test_the_hub_s_key_is_told_to_the_devices_of_its_store_only(service: EnrolmentService) -> None:
    hub = Machine()
    grant = Grant(tid="h-1", kind="hub", store="s-1", names=("127.0.0.1",))
    run(service.join(hub.asks(new_code(service, grant)), now_ms=NOW_MS))
    here = run(service.join(Machine().asks(new_code(service)), now_ms=NOW_MS))
    elsewhere = replace(GRANT, tid="t-2", store="s-2")
    there = run(service.join(Machine().asks(new_code(service, elsewhere)), now_ms=NOW_MS))
    assert here.hub_keys == (hub.key.public,)
    assert there.hub_keys == ()


def test_a_code_is_good_for_one_machine_only(service: EnrolmentService) -> None:
    code = new_code(service)
    run(service.join(Machine().asks(code), now_ms=NOW_MS))
    with refused("enrol_code_invalid"):
        run(service.join(Machine().asks(code), now_ms=NOW_MS))


def test_the_retry_of_the_same_machine_gets_the_same_place(
    service: EnrolmentService, registry: MemoryRegistry
) -> None:
    machine, code = Machine(), new_code(service)
    first = run(service.join(machine.asks(code), now_ms=NOW_MS))
    again = run(service.join(machine.asks(code), now_ms=NOW_MS + 5))
    assert (again.tid, again.store) == (first.tid, first.store)
    assert registry.devices["t-1"].key == machine.key.public
    with refused("enrol_code_invalid"):
        run(service.join(machine.asks(code), now_ms=NOW_MS + CODE_VALID_MS))


def test_two_machines_that_passed_the_check_at_once_do_not_both_get_in(
    service: EnrolmentService, registry: MemoryRegistry
) -> None:
    code, one, other = new_code(service), Machine(), Machine()
    for machine in (one, other):
        request = machine.asks(code)
        accepted = registry.attempt(
            code.code_id, request.digest(), request.claimant(), now_ms=NOW_MS
        )
        assert run(accepted) is not None
    claimants = [machine.asks(code).claimant() for machine in (one, other)]
    run(registry.complete(code.code_id, claimants[0], GRANT, one.key.public, now_ms=NOW_MS))
    with refused("enrol_code_invalid"):
        run(registry.complete(code.code_id, claimants[1], GRANT, other.key.public, now_ms=NOW_MS))
    assert registry.devices["t-1"].key == one.key.public


def test_an_expired_code_is_refused(service: EnrolmentService) -> None:
    code = new_code(service)
    for at_ms in (NOW_MS + CODE_VALID_MS, NOW_MS - 1):
        with refused("enrol_code_invalid"):
            run(service.join(Machine().asks(code), now_ms=at_ms))
    run(service.join(Machine().asks(code), now_ms=NOW_MS + CODE_VALID_MS - 1))


def test_wrong_codes_use_up_the_tries_and_then_the_right_one_is_refused_too(
    service: EnrolmentService,
) -> None:
    code = new_code(service)
    wrong = PrintedCode(code.code_id, "0" * 12, code.fingerprint)
    for _ in range(CODE_ATTEMPTS_MAX - 1):
        with refused("enrol_code_invalid"):
            run(service.join(Machine().asks(wrong), now_ms=NOW_MS))
    machine = Machine()
    run(service.join(machine.asks(code), now_ms=NOW_MS))
    with refused("enrol_code_invalid"):
        run(service.join(Machine().asks(wrong), now_ms=NOW_MS))
    with refused("enrol_code_invalid"):
        run(service.join(machine.asks(code), now_ms=NOW_MS))


def test_an_unknown_code_is_refused_with_the_same_words(service: EnrolmentService) -> None:
    with refused("enrol_code_invalid"):
        run(service.join(Machine().asks(mint_code(bytes(10), CA.certificate_der)), now_ms=NOW_MS))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: replace(r, proof=bytes(64)),
        lambda r: replace(r, proof=b""),
        lambda r: replace(r, csr=TlsKey().request()),
        lambda r: replace(r, key=generate("Ed25519").public),
        lambda r: replace(r, secret="0" * 12),
    ],
)
def test_a_request_without_its_proof_of_possession_costs_no_try(
    service: EnrolmentService,
    registry: MemoryRegistry,
    spoil: Callable[[JoinRequest], JoinRequest],
) -> None:
    code = new_code(service)
    with refused("signature_invalid"):
        run(service.join(spoil(Machine().asks(code)), now_ms=NOW_MS))
    assert registry.codes[code.code_id].attempts_left == CODE_ATTEMPTS_MAX
    assert registry.codes[code.code_id].used_by is None


@pytest.mark.parametrize("csr", [b"", b"0", b"\x30\x82\x01\x00" + bytes(64)])
def test_a_broken_certificate_request_is_refused(service: EnrolmentService, csr: bytes) -> None:
    code, machine = new_code(service), Machine()
    machine.csr = csr
    with refused("field_invalid"):
        run(service.join(machine.asks(code), now_ms=NOW_MS))


def test_a_certificate_request_whose_key_did_not_sign_it_is_refused(
    service: EnrolmentService,
) -> None:
    code, machine = new_code(service), Machine()
    machine.csr = machine.csr[:-1] + bytes((machine.csr[-1] ^ 1,))
    with refused("field_invalid"):
        run(service.join(machine.asks(code), now_ms=NOW_MS))


def test_a_name_that_is_taken_is_refused_and_the_code_stays_unused(
    service: EnrolmentService, registry: MemoryRegistry
) -> None:
    run(service.join(Machine().asks(new_code(service)), now_ms=NOW_MS))
    second = new_code(service)
    with refused("device_exists"):
        run(service.join(Machine().asks(second), now_ms=NOW_MS))
    assert registry.codes[second.code_id].used_by is None


def test_a_live_code_s_id_is_not_given_twice(registry: MemoryRegistry) -> None:
    _, stored = enrolment.issue(
        GRANT,
        issued_by="o",
        now_ms=NOW_MS,
        valid_ms=1000,
        random_bytes=bytes(10),
        ca_certificate_der=b"",
    )
    run(registry.add(stored))
    with refused("busy"):
        run(registry.add(stored))
    run(registry.add(replace(stored, issued_at_ms=NOW_MS + 1000)))


@pytest.mark.parametrize(
    ("status", "code"), [("revoked", "device_revoked"), ("suspended", "device_suspended")]
)
def test_a_stopped_device_that_repeats_its_join_is_refused(
    service: EnrolmentService, registry: MemoryRegistry, status: str, code: str
) -> None:
    machine, printed = Machine(), new_code(service)
    run(service.join(machine.asks(printed), now_ms=NOW_MS))
    registry.devices["t-1"] = replace(registry.devices["t-1"], status=status)
    with refused(code):
        run(service.join(machine.asks(printed), now_ms=NOW_MS + 1))
    assert registry.devices["t-1"].status == status


# Wire forms


def test_the_wire_forms_come_back_as_they_were(service: EnrolmentService) -> None:
    machine, code = Machine(), new_code(service)
    request = machine.asks(code)
    assert JoinRequest.from_bytes(request.to_bytes()) == request
    answer = run(service.join(request, now_ms=NOW_MS))
    assert JoinAnswer.from_bytes(answer.to_bytes()) == answer
    rotate = RotateRequest.signed(
        "t-1", at_ms=NOW_MS, csr=machine.csr, key=machine.key, certificate=answer.chain[0]
    )
    assert RotateRequest.from_bytes(rotate.to_bytes()) == rotate


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_crash_a_reader(data: bytes) -> None:
    for read in (JoinRequest.from_bytes, JoinAnswer.from_bytes, RotateRequest.from_bytes):
        with pytest.raises(CallerError):
            read(data)
