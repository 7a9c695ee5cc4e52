"""The limits of the peripheral codecs, each with its unit in the name."""

GM65_FRAME_TIMEOUT_MS = 400
GM65_DATA_BYTES_MAX = 256
GM65_TEXT_BYTES_MAX = 4096
EF01_PAYLOAD_BYTES_MAX = 256
PN532_DATA_BYTES_MAX = 264
"""Of a frame without its TFI (UM0701-02, 6.2.1.2)."""
TLV_DEPTH_MAX = 8
NDEF_RECORDS_MAX = 32
OCPP_LINE_BYTES_MAX = 64 * 1024
OCPP_MESSAGE_ID_CHARS_MAX = 36
QR_BYTES_MAX = 2953
"""The most a QR code of version 40 holds (ISO/IEC 18004, level L, byte mode)."""
MCUBOOT_IMAGE_BYTES_MAX = 16 * 1024 * 1024
MCUBOOT_TLVS_MAX = 64
SMP_LINE_BYTES_MAX = 512
"""Senders keep to 127; what is longer is cut and then damaged."""
SMP_MESSAGE_BYTES_MAX = 2048
SMP_RAW_BYTES_MAX = 4 * SMP_MESSAGE_BYTES_MAX
"""Of one message's lines; with full lines a message needs 1.4 times its size."""
SSI_DATA_BYTES_MAX = 251
SSI_LONG_BYTES_MAX = 8192

TELIUM_MESSAGE_BYTES_MAX = 128
"""The longest message defined has 80."""
TELIUM_NOISE_BYTES_MAX = 256
ELEMENT_BODY_BYTES_MAX = 256
DISPLAY_COLUMNS = 20
DISPLAY_SCROLL_CHARS_MAX = 40
LED8_DIGITS = 8
LED8_CHARS_MAX = 16
"""Eight digits and the points between them."""
MDB_BLOCK_BYTES_MAX = 36
QIBIXX_LINE_BYTES_MAX = 160
QIBIXX_AMOUNT_DIGITS_MAX = 7
MODBUS_FRAME_BYTES_MAX = 256
