"""The limits of the peripheral codecs, each with its unit in the name."""

GM65_FRAME_TIMEOUT_MS = 400
GM65_DATA_BYTES_MAX = 256
GM65_TEXT_BYTES_MAX = 4096
EF01_PAYLOAD_BYTES_MAX = 256
QR_BYTES_MAX = 2953
"""The most a QR code of version 40 holds (ISO/IEC 18004, level L, byte mode)."""
