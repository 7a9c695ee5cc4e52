"""The EF01 fingerprint sensor: profiles ZFM-20, R307 and R503."""

from firmware_sim.devices.ef01.sensor import Ef01

__all__ = ["Ef01"]
