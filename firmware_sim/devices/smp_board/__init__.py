"""A controller board: flash, an MCUboot-like bootloader, and firmware that speaks SMP."""
