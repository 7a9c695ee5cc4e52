"""The 28 attributes of a fingerprint, and what is expected of each. Pure.

A reading names its attributes; names differ between sources (``board_rev``, ``boardRevision``), so
each is known by the words in its name. One that no entry knows is taken as ``OTHER`` and judged by
how it behaves in the fleet.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Group(StrEnum):
    """What kind of thing an attribute tells of: those of one group change for one cause."""

    ROOT = "root"
    """Bound to a chip that cannot be copied."""
    BOARD = "board"
    """Soldered to the board, but easy to pretend."""
    STORAGE = "storage"
    """On the card or flash, which can be exchanged."""
    BUILD = "build"
    """The record of an update: what the others of the software change with."""
    SOFTWARE = "software"
    """Changes with an update and never outside one."""
    PERIPHERAL = "peripheral"
    KEY = "key"
    """Rotates."""
    PLACE = "place"
    COUNTER = "counter"
    """Must not fall."""
    BEHAVIOUR = "behaviour"
    """Measured, so never twice the same."""
    EVIDENCE = "evidence"
    """Speaks of an emulator or of an open case by itself."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A known attribute: its name here and its group. ``words`` is searched in the name's words
    joined by single blanks."""

    name: str
    group: Group
    words: str


ATTRIBUTES = (
    Attribute("emulator", Group.EVIDENCE, r"hypervisor|virtio|\bvirt|emulat|\bdmi\b"),
    Attribute("tamper", Group.EVIDENCE, r"tamper|taint|case|lockdown|\blsm\b|\bima\b|root(ed|kit)"),
    Attribute("counter", Group.COUNTER, r"counter\b|monotonic"),
    Attribute("secure_element", Group.ROOT, r"\bse\b|secure ?element|\bsecure\b"),
    Attribute("tpm", Group.ROOT, r"\btpm|\bek\b"),
    Attribute("otp", Group.ROOT, r"\botp|customer|device (private )?key"),
    Attribute(
        "cpu_serial",
        Group.ROOT,
        r"(cpu|soc|board|chip|pi|hw|hardware|device) ?serial|^serial|\bcpu ?(id|sn)\b",
    ),
    Attribute("clock_skew", Group.BEHAVIOUR, r"skew|\bppm\b|clock"),
    Attribute("temperature", Group.BEHAVIOUR, r"temp|therm"),
    Attribute("timer_jitter", Group.BEHAVIOUR, r"jitter|overshoot|timer"),
    Attribute("compute", Group.BEHAVIOUR, r"comput|sha\d*\b|\bcrc|\bbench|hash ?rate|\bsig\b"),
    Attribute("command_line", Group.SOFTWARE, r"cmd ?line|command ?line|boot ?args"),
    Attribute("counter", Group.COUNTER, r"count|\bboots?\b|uptime"),
    Attribute("scanner_serial", Group.PERIPHERAL, r"scan"),
    Attribute("printer_serial", Group.PERIPHERAL, r"\bprint(er)?\b"),
    Attribute("nfc_firmware", Group.PERIPHERAL, r"\bnfc|\breader|\bpn53"),
    Attribute("usb_topology", Group.PERIPHERAL, r"\busb"),
    Attribute("display_edid", Group.PERIPHERAL, r"edid|display|screen"),
    Attribute("wifi_mac", Group.BOARD, r"wi ?fi|wlan"),
    Attribute("bluetooth_mac", Group.BOARD, r"\bbt\b|bluetooth|\bble\b"),
    Attribute("ethernet_mac", Group.BOARD, r"\beth|\blan\b|\bmacs?\b|\boui\b"),
    Attribute(
        "os_build", Group.BUILD, r"\bos\b|\bos ?build|\bbuild|\bimage\b|firmware|\bota\b|slot"
    ),
    Attribute("modules", Group.SOFTWARE, r"module|\bk?mods?\b"),
    Attribute("kernel", Group.SOFTWARE, r"kernel|osrelease|uname"),
    Attribute("storage_cid", Group.STORAGE, r"\bcid\b|\bsd\b|emmc|\bcard\b|flash"),
    Attribute("root_filesystem", Group.STORAGE, r"root ?fs|\broot\b|verity|uuid|file ?system"),
    Attribute("machine_id", Group.STORAGE, r"machine ?id|\bhost"),
    Attribute("tls_key", Group.KEY, r"\btls|\bcert|client ?key|fingerprint|\bkey\b|\bm?tls"),
    Attribute("ram", Group.BOARD, r"\bram|\bmem"),
    Attribute(
        "geo_cell",
        Group.PLACE,
        r"geo|\bcell|\bgps|locat|egress|\bip\b|\blat\b|\blon\b|latitude|longitude",
    ),
    Attribute("board_revision", Group.BOARD, r"board|model|\brev"),
)
OTHER = Attribute("other", Group.OTHER, "")
_WORDS = [(attribute, re.compile(attribute.words)) for attribute in ATTRIBUTES]


@cache
def attribute_of(name: str) -> Attribute:
    """The attribute that a source's name means, the first that fits."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = re.sub(r"[^a-z0-9]+", " ", spaced.lower()).strip()
    found = (attribute for attribute, pattern in _WORDS if pattern.search(words))
    return next(found, OTHER)
