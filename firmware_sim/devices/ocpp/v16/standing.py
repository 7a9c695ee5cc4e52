"""A token's standing in OCPP 1.6 (``IdTagInfo``, §7.27)."""

from firmware_sim.devices.ocpp.shapes import Moment, Shape, Text, one_of, violation
from firmware_sim.devices.ocpp.tokens import Standing
from firmware_sim.devices.ocpp.wall_clock import as_moment

ID_TAG = Text(20)
ID_TAG_INFO = Shape(
    {"status": one_of("Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx")},
    {"expiryDate": Moment(), "parentIdTag": ID_TAG},
)


def standing_of(info: object) -> Standing | None:
    """What an ``idTagInfo`` says; ``None`` where it is none."""
    if not isinstance(info, dict) or violation(info, ID_TAG_INFO):
        return None
    expiry = as_moment(info["expiryDate"]) if "expiryDate" in info else None
    return Standing(info["status"], info.get("parentIdTag", ""), expiry)
