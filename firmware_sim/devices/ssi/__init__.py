"""Scan engines that speak the Simple Serial Interface."""

from firmware_sim.devices.ssi.machine import READ_MS, SsiScanner
from firmware_sim.devices.ssi.profile import PROFILES, SsiProfile

__all__ = ["PROFILES", "READ_MS", "SsiProfile", "SsiScanner"]
