"""CRC-16/XMODEM: polynomial 1021, start 0, no reflection, no final exclusive-or."""

import binascii


def crc16_xmodem(data: bytes) -> int:
    """The checksum of ``data``; of ``b"123456789"`` it is 0x31C3."""
    return binascii.crc_hqx(data, 0)
