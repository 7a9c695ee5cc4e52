"""The ESC/POS printer: parser, sheet, mechanism and the machine that ties them."""

from firmware_sim.devices.escpos.mechanism import DOTS_PER_MM
from firmware_sim.devices.escpos.printer import EscPosPrinter, PrinterProfile

__all__ = ["DOTS_PER_MM", "EscPosPrinter", "PrinterProfile"]
