"""The requests of OCPP 2.0.1 that this charger understands (part 2, chapter 1 of the messages)."""

from firmware_sim.devices.ocpp.limits import KEYS_PER_REQUEST_MAX, TOKENS_PER_LIST_MAX
from firmware_sim.devices.ocpp.shapes import (
    Anything,
    Many,
    Moment,
    Number,
    Shape,
    Text,
    Whole,
    one_of,
)
from firmware_sim.devices.ocpp.v201.smart_charging import PROFILE
from firmware_sim.devices.ocpp.v201.standing import ID_TOKEN, ID_TOKEN_INFO

_EVSE = Shape({"id": Whole(0)}, {"connectorId": Whole(0)})
_COMPONENT = Shape({"name": Text(50)}, {"instance": Text(50), "evse": _EVSE})
_VARIABLE = Shape({"name": Text(50)}, {"instance": Text(50)})
_ATTRIBUTE = one_of("Actual", "Target", "MinSet", "MaxSet")
_PLACE = {"component": _COMPONENT, "variable": _VARIABLE}
_KEY = Text(36)

NOTHING = Shape()
CANCEL_RESERVATION = Shape({"reservationId": Whole()})
CHANGE_AVAILABILITY = Shape(
    {"operationalStatus": one_of("Operative", "Inoperative")}, {"evse": _EVSE}
)
COST_UPDATED = Shape({"totalCost": Number(), "transactionId": _KEY})
DATA_TRANSFER = Shape({"vendorId": Text(255)}, {"messageId": Text(50), "data": Anything()})
GET_BASE_REPORT = Shape({
    "requestId": Whole(),
    "reportBase": one_of("ConfigurationInventory", "FullInventory", "SummaryInventory"),
})  # fmt: skip
GET_LOG = Shape(
    {
        "log": Shape(
            {"remoteLocation": Text(512)},
            {"oldestTimestamp": Moment(), "latestTimestamp": Moment()},
        ),
        "logType": one_of("DiagnosticsLog", "SecurityLog"),
        "requestId": Whole(),
    },
    {"retries": Whole(0), "retryInterval": Whole(0)},
)
GET_TRANSACTION_STATUS = Shape({}, {"transactionId": _KEY})
GET_VARIABLES = Shape({
    "getVariableData": Many(
        Shape(_PLACE, {"attributeType": _ATTRIBUTE}), at_least=1, at_most=KEYS_PER_REQUEST_MAX
    ),
})  # fmt: skip
SET_VARIABLES = Shape({
    "setVariableData": Many(
        Shape({**_PLACE, "attributeValue": Text(1000)}, {"attributeType": _ATTRIBUTE}),
        at_least=1, at_most=KEYS_PER_REQUEST_MAX,
    ),
})  # fmt: skip
REQUEST_START = Shape(
    {"idToken": ID_TOKEN, "remoteStartId": Whole()},
    {"evseId": Whole(1), "groupIdToken": ID_TOKEN, "chargingProfile": PROFILE},
)
REQUEST_STOP = Shape({"transactionId": _KEY})
RESERVE_NOW = Shape(
    {"id": Whole(), "expiryDateTime": Moment(), "idToken": ID_TOKEN},
    {"connectorType": Text(20), "evseId": Whole(0), "groupIdToken": ID_TOKEN},
)
RESET = Shape({"type": one_of("Immediate", "OnIdle")}, {"evseId": Whole(0)})
SEND_LOCAL_LIST = Shape(
    {"versionNumber": Whole(1), "updateType": one_of("Differential", "Full")},
    {
        "localAuthorizationList": Many(
            Shape({"idToken": ID_TOKEN}, {"idTokenInfo": ID_TOKEN_INFO}),
            at_least=1, at_most=TOKENS_PER_LIST_MAX,
        ),
    },
)  # fmt: skip
TRIGGER_MESSAGE = Shape(
    {
        "requestedMessage": one_of(
            "BootNotification", "LogStatusNotification", "FirmwareStatusNotification",
            "Heartbeat", "MeterValues", "SignChargingStationCertificate",
            "SignV2GCertificate", "StatusNotification", "TransactionEvent",
            "SignCombinedCertificate", "PublishFirmwareStatusNotification",
        ),
    },
    {"evse": _EVSE},
)  # fmt: skip
UNLOCK_CONNECTOR = Shape({"evseId": Whole(0), "connectorId": Whole(0)})
UPDATE_FIRMWARE = Shape(
    {
        "requestId": Whole(),
        "firmware": Shape(
            {"location": Text(512), "retrieveDateTime": Moment()},
            {
                "installDateTime": Moment(), "signingCertificate": Text(5500),
                "signature": Text(800),
            },
        ),
    },
    {"retries": Whole(0), "retryInterval": Whole(0)},
)  # fmt: skip
