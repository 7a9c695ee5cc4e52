"""Every kind of device there is."""

from firmware_sim.kinds import (
    displays,
    ef01,
    escpos,
    gate,
    gm65,
    ocpp,
    paymeter,
    pn532,
    qibixx,
    secure_element,
    smp_board,
    ssi,
    telium,
)
from firmware_sim.kinds.kind import Kind
from firmware_sim.nearest import nearest
from protocol.errors import CallerError

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        displays.EPSON_VFD,
        displays.CD5220,
        displays.LED8,
        ef01.KIND,
        escpos.KIND,
        gate.KIND,
        paymeter.KIND,
        gm65.KIND,
        ocpp.OCPP16,
        ocpp.OCPP201,
        secure_element.KIND,
        pn532.KIND,
        qibixx.KIND,
        pn532.KIND,
        secure_element.KIND,
        smp_board.KIND,
        ssi.KIND,
        telium.KIND,
    )
}


def kind_named(name: str) -> Kind:
    """The kind; raises ``CallerError("field_invalid")`` that names the nearest one."""
    if name in KINDS:
        return KINDS[name]
    near = nearest(name, KINDS)
    hint = f"; did you mean {near!r}?" if near else f"; there are {', '.join(sorted(KINDS))}"
    hint_zh = f"；是不是 {near!r}？" if near else f"；有：{'、'.join(sorted(KINDS))}"
    raise CallerError(
        "field_invalid",
        f"no kind of device is called {name!r}{hint}",
        detail_zh=f"没有名叫 {name!r} 的器件种类{hint_zh}",
    )
