"""The checks of each kind of device."""

from firmware_sim.conformance import (
    displays,
    ef01,
    escpos,
    gate,
    gm65,
    ocpp16,
    ocpp201,
    paymeter,
    pn532,
    qibixx,
    secure_element,
    smp_board,
    ssi,
    telium,
)
from firmware_sim.conformance.check import Check
from firmware_sim.kinds.registry import kind_named
from protocol.errors import CallerError

CHECKS: dict[str, tuple[Check, ...]] = {
    "cd5220": displays.CD5220_CHECKS,
    "ef01": ef01.CHECKS,
    "epson_vfd": displays.EPSON_VFD_CHECKS,
    "escpos": escpos.CHECKS,
    "gate": gate.CHECKS,
    "paymeter": paymeter.CHECKS,
    "gm65": gm65.CHECKS,
    "led8": displays.LED8_CHECKS,
    "ocpp16": ocpp16.CHECKS,
    "ocpp201": ocpp201.CHECKS,
    "secure_element": secure_element.CHECKS,
    "pn532": pn532.CHECKS,
    "qibixx": qibixx.CHECKS,
    "smp_board": smp_board.CHECKS,
    "ssi": ssi.CHECKS,
    "telium": telium.CHECKS,
}


def checks_of(kind: str) -> tuple[Check, ...]:
    """The checks of a kind; raises ``CallerError`` for a kind that has none."""
    kind_named(kind)
    if kind not in CHECKS:
        there = ", ".join(sorted(CHECKS))
        raise CallerError("field_invalid", f"there are no checks of {kind!r}; there are of {there}")
    return CHECKS[kind]
