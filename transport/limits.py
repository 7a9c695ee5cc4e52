"""Every maximum of the transport, with its unit."""

GREETING_BYTES_MAX = 64 * 1024
"""What a peer may send before its handshake is done; ours take 4 KiB."""

ANSWERS_BYTES_MAX = 64 * 1024
"""What a peer may make us answer on one line by asking for new keys (KeyUpdate, RFC 8446 §4.6.3):
some 2,400 times, where honest ends ask once in millions of records. A peer that asks and never
reads would fill our memory."""

GREETING_S_MAX = 10
"""How long a handshake may take."""

CLOSE_S_MAX = 5
"""How long a closed line may take to send what was written before."""

WRITE_S_MAX = 10
"""How long a blocking socket may wait for a peer that does not read."""

RECORD_BYTES_MAX = 16 * 1024
"""RFC 8446 §5.1: the content of one record."""

READ_BYTES_MAX = 64 * 1024
"""What is read from a blocking socket at once."""

LOG_DEPTH_MAX = 6
"""How deep a logged value is looked into; what lies deeper is masked."""

LOG_DIGITS_SHOWN = 4
"""Of a masked number, its last ones."""
