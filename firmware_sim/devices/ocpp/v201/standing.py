"""Tokens and their standing in OCPP 2.0.1 (``IdTokenType``, ``IdTokenInfoType``)."""

from typing import Any

from firmware_sim.devices.ocpp.shapes import (
    Anything,
    Many,
    Moment,
    Shape,
    Text,
    Whole,
    one_of,
    violation,
)
from firmware_sim.devices.ocpp.tokens import Standing, Token
from firmware_sim.devices.ocpp.wall_clock import as_moment
from protocol.framing.ocppj import JsonObject

ID_TOKEN = Shape(
    {
        "idToken": Text(36),
        "type": one_of(
            "Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress",
            "NoAuthorization",
        ),
    },
    {"additionalInfo": Many(Anything(), at_least=1)},
)  # fmt: skip
ID_TOKEN_INFO = Shape(
    {
        "status": one_of(
            "Accepted", "Blocked", "ConcurrentTx", "Expired", "Invalid", "NoCredit",
            "NotAllowedTypeEVSE", "NotAtThisLocation", "NotAtThisTime", "Unknown",
        ),
    },
    {
        "cacheExpiryDateTime": Moment(),
        "chargingPriority": Whole(),
        "language1": Text(8),
        "language2": Text(8),
        "evseId": Many(Whole(), at_least=1),
        "groupIdToken": ID_TOKEN,
        "personalMessage": Anything(),
    },
)  # fmt: skip


def token_of(value: dict[str, Any]) -> Token:
    """The token in an ``idToken`` of the right shape."""
    return Token(value["idToken"], value["type"])


def token_payload(token: Token) -> JsonObject:
    """A token as the wire has it."""
    return {"idToken": token.text, "type": token.kind}


def standing_of(info: object) -> Standing | None:
    """What an ``idTokenInfo`` says; ``None`` where it is none."""
    if not isinstance(info, dict) or violation(info, ID_TOKEN_INFO):
        return None
    expiry = info.get("cacheExpiryDateTime")
    group = info.get("groupIdToken", {}).get("idToken", "")
    return Standing(info["status"], group, as_moment(expiry) if expiry else None)
