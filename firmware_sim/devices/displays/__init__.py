"""Customer displays: what the payer sees."""

from firmware_sim.devices.displays.cd5220 import Cd5220
from firmware_sim.devices.displays.epson import EpsonVfd
from firmware_sim.devices.displays.glass import Glass
from firmware_sim.devices.displays.led8 import Led8

__all__ = ["Cd5220", "EpsonVfd", "Glass", "Led8"]
