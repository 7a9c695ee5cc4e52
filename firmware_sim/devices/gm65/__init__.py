"""The GROW GM65 family of QR scanners: GM65 and its relatives."""

from firmware_sim.devices.gm65.machine import READ_MS, Gm65
from firmware_sim.devices.gm65.profile import PROFILES, Habits, ScannerProfile, Symbology
from firmware_sim.devices.sight import Decoder, Sighting

__all__ = [
    "PROFILES",
    "READ_MS",
    "Decoder",
    "Gm65",
    "Habits",
    "ScannerProfile",
    "Sighting",
    "Symbology",
]
