"""The configuration keys of OCPP 1.6 (chapter 9), as this charger has them.

Keys of the core profile are all here; of the others those whose function is here.
"""

from firmware_sim.devices.ocpp.limits import (
    INTERVAL_S_MAX,
    KEYS_PER_REQUEST_MAX,
    PROFILE_PERIODS_MAX,
    PROFILE_STACK_MAX,
    PROFILES_MAX,
    TOKENS_LISTED_MAX,
    TOKENS_PER_LIST_MAX,
)
from firmware_sim.devices.ocpp.settings import Kind, Row, Settings

MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Power.Offered",
    "Current.Import",
    "Voltage",
)
FEATURES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,RemoteTrigger,SmartCharging"


def made_settings(outlets: int) -> Settings:
    """The settings of a new charger."""
    return Settings.made_of([*_CORE, *_LISTS, *_PROFILES, _fixed("NumberOfConnectors", outlets)])


def _whole(key: str, value: int, maximum: int = INTERVAL_S_MAX, minimum: int = 0) -> Row:
    return Row(key, str(value), Kind.WHOLE, maximum=maximum, minimum=minimum)


def _flag(key: str, *, is_set: bool) -> Row:
    return Row(key, str(is_set).lower(), Kind.FLAG)


def _fixed(key: str, value: object) -> Row:
    return Row(key, str(value), is_read_only=True)


def _measurands(key: str, value: str) -> Row:
    return Row(key, value, Kind.MEMBERS, choices=MEASURANDS)


_CORE = (
    _flag("AllowOfflineTxForUnknownId", is_set=False),
    _flag("AuthorizationCacheEnabled", is_set=True),
    _flag("AuthorizeRemoteTxRequests", is_set=False),
    _whole("ClockAlignedDataInterval", 0, 24 * 3600),
    _whole("ConnectionTimeOut", 60),
    _fixed("ConnectorPhaseRotation", "0.RST"),
    _fixed("GetConfigurationMaxKeys", KEYS_PER_REQUEST_MAX),
    _whole("HeartbeatInterval", 300),
    _flag("LocalAuthorizeOffline", is_set=True),
    _flag("LocalPreAuthorize", is_set=False),
    _measurands("MeterValuesAlignedData", "Energy.Active.Import.Register"),
    _measurands("MeterValuesSampledData", "Energy.Active.Import.Register,Power.Active.Import"),
    _whole("MeterValueSampleInterval", 60),
    _whole("ResetRetries", 1, 10),
    _flag("StopTransactionOnEVSideDisconnect", is_set=True),
    _flag("StopTransactionOnInvalidId", is_set=True),
    _measurands("StopTxnAlignedData", ""),
    _measurands("StopTxnSampledData", ""),
    _fixed("SupportedFeatureProfiles", FEATURES),
    _whole("TransactionMessageAttempts", 3, 100, 1),
    _whole("TransactionMessageRetryInterval", 10, 3600),
    _flag("UnlockConnectorOnEVSideDisconnect", is_set=True),
)
_LISTS = (
    _flag("LocalAuthListEnabled", is_set=True),
    _fixed("LocalAuthListMaxLength", TOKENS_LISTED_MAX),
    _fixed("SendLocalListMaxLength", TOKENS_PER_LIST_MAX),
    _fixed("ReserveConnectorZeroSupported", "false"),
)
_PROFILES = (
    _fixed("ChargeProfileMaxStackLevel", PROFILE_STACK_MAX),
    _fixed("ChargingScheduleAllowedChargingRateUnit", "Current,Power"),
    _fixed("ChargingScheduleMaxPeriods", PROFILE_PERIODS_MAX),
    _fixed("MaxChargingProfilesInstalled", PROFILES_MAX),
)
