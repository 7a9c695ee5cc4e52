"""The variables of OCPP 2.0.1 (part 2, appendix of referenced components and variables) that can
be set or are fixed. Keys are ``Component.Variable`` or ``Component.Variable@instance``."""

from firmware_sim.devices.ocpp.limits import (
    INTERVAL_S_MAX,
    KEYS_PER_REQUEST_MAX,
    MESSAGE_TIMEOUT_MS,
    PROFILE_PERIODS_MAX,
    PROFILE_STACK_MAX,
    PROFILES_MAX,
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
TX_POINTS = ("EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")
_ENERGY = "Energy.Active.Import.Register"


def made_settings(redial_s: int) -> Settings:
    """The settings of a new charger."""
    return Settings.made_of([*_ROWS, _whole("OCPPCommCtrlr.RetryBackOffWaitMinimum", redial_s)])


def _whole(key: str, value: int, maximum: int = INTERVAL_S_MAX) -> Row:
    return Row(key, str(value), Kind.WHOLE, maximum=maximum, unit="s")


def _count(key: str, value: int, maximum: int, minimum: int = 0) -> Row:
    return Row(key, str(value), Kind.WHOLE, maximum=maximum, minimum=minimum)


def _flag(key: str, *, is_set: bool) -> Row:
    return Row(key, str(is_set).lower(), Kind.FLAG)


def _fixed(key: str, value: object, kind: Kind = Kind.TEXT) -> Row:
    return Row(key, str(value), kind, is_read_only=True)


def _members(key: str, value: str, choices: tuple[str, ...]) -> Row:
    return Row(key, value, Kind.MEMBERS, choices=choices)


_ROWS = (
    _flag("AlignedDataCtrlr.Enabled", is_set=True),
    _whole("AlignedDataCtrlr.Interval", 0, 24 * 3600),
    _members("AlignedDataCtrlr.Measurands", _ENERGY, MEASURANDS),
    _flag("AuthCacheCtrlr.Enabled", is_set=True),
    _flag("AuthCtrlr.AuthorizeRemoteStart", is_set=False),
    _flag("AuthCtrlr.LocalAuthorizeOffline", is_set=True),
    _flag("AuthCtrlr.LocalPreAuthorize", is_set=False),
    _flag("AuthCtrlr.OfflineTxForUnknownIdEnabled", is_set=False),
    _fixed("ClockCtrlr.TimeSource", "Heartbeat"),
    _fixed("DeviceDataCtrlr.ItemsPerMessage@GetReport", KEYS_PER_REQUEST_MAX, Kind.WHOLE),
    _fixed("DeviceDataCtrlr.ItemsPerMessage@GetVariables", KEYS_PER_REQUEST_MAX, Kind.WHOLE),
    _fixed("DeviceDataCtrlr.ItemsPerMessage@SetVariables", KEYS_PER_REQUEST_MAX, Kind.WHOLE),
    _flag("LocalAuthListCtrlr.Enabled", is_set=True),
    _fixed("LocalAuthListCtrlr.ItemsPerMessage", TOKENS_PER_LIST_MAX, Kind.WHOLE),
    _whole("OCPPCommCtrlr.HeartbeatInterval", 300),
    _whole("OCPPCommCtrlr.MessageAttemptInterval@TransactionEvent", 10, 3600),
    _count("OCPPCommCtrlr.MessageAttempts@TransactionEvent", 3, 100, 1),
    _fixed("OCPPCommCtrlr.MessageTimeout@Default", MESSAGE_TIMEOUT_MS // 1000, Kind.WHOLE),
    _whole("OCPPCommCtrlr.OfflineThreshold", 60),
    _whole("OCPPCommCtrlr.RetryBackOffRandomRange", 2, 3600),
    _count("OCPPCommCtrlr.RetryBackOffRepeatTimes", 5, 10),
    _flag("SampledDataCtrlr.Enabled", is_set=True),
    _members("SampledDataCtrlr.TxEndedMeasurands", _ENERGY, MEASURANDS),
    _members("SampledDataCtrlr.TxStartedMeasurands", _ENERGY, MEASURANDS),
    _whole("SampledDataCtrlr.TxUpdatedInterval", 60),
    _members("SampledDataCtrlr.TxUpdatedMeasurands", f"{_ENERGY},Power.Active.Import", MEASURANDS),
    _fixed("SmartChargingCtrlr.Entries@ChargingProfiles", PROFILES_MAX, Kind.WHOLE),
    _fixed("SmartChargingCtrlr.PeriodsPerSchedule", PROFILE_PERIODS_MAX, Kind.WHOLE),
    _fixed("SmartChargingCtrlr.ProfileStackLevel", PROFILE_STACK_MAX, Kind.WHOLE),
    _fixed("SmartChargingCtrlr.RateUnit", "A,W"),
    _fixed("SecurityCtrlr.SecurityProfile", 1, Kind.WHOLE),
    _whole("TxCtrlr.EVConnectionTimeOut", 60),
    _flag("TxCtrlr.StopTxOnEVSideDisconnect", is_set=True),
    _flag("TxCtrlr.StopTxOnInvalidId", is_set=True),
    _members("TxCtrlr.TxStartPoint", "PowerPathClosed", TX_POINTS),
    _members("TxCtrlr.TxStopPoint", "EVConnected,Authorized", TX_POINTS),
)
