"""Bounds of the CoAP server. Units stand last in the names."""

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
"""The default (212 kB) overflows when 500 devices speak at once: p99 2.8 s instead of 0.3 s."""
SEND_BUFFER_BYTES = 1024 * 1024
RECENT_MESSAGES_MAX = 16_384
"""Requests remembered to recognise a retransmission: about 40 MB. The oldest goes first."""
REQUESTS_PER_S_MAX = 250
"""Of one endpoint, each block counted: more would reuse message ids inside their lifetime
(RFC 7252 §4.4)."""
REQUESTS_PER_S_TOTAL_MAX = 2_000
BURST_S = 2
TRANSFERS_MAX = 2_048
"""Bodies in blocks that a resource has begun to take, and answers in blocks that it has begun to
give (RFC 7959), each: 20 MB at most. Where there is no room, an address that has more than its
share loses its oldest; else the one begun longest ago goes."""
ENDPOINTS_REMEMBERED_MAX = 8_192
EXCHANGES_MAX = 2_000
"""Requests that wait for their answer."""
OBSERVERS_MAX = 2_000
ANSWER_WAIT_GRACE_S = 10
"""After this much beyond ``unknown_after_ms`` a request is answered 5.03 whatever happened."""
NOTIFY_TIMEOUT_S = 120
"""RFC 7252 MAX_TRANSMIT_WAIT is 93 s; by then a notification was acknowledged or given up."""
RETRY_AFTER_S = 1
CONTEXTS_MAX = 8_192
"""Devices that speak OSCORE, about 4 kB each. The one that was silent longest goes."""
CONTEXTS_HALF_OPEN_MAX = 512
EDHOC_BYTES_MAX = 512
"""Message 3 with a credential by value has about 120."""
OBSERVE_NUMBERS = 1 << 24
"""Of notifications, which begin again behind them (RFC 7641 §3.4)."""
GIVEN_ID_BYTES = 5
"""Of the sender id of a device with a given key; those agreed on are shorter."""
GIVEN_KEYS_MAX = 8_192
NUMBER_BLOCK = 1 << 22
"""Messages of our own that one write to the disk is good for. Of the 2^40 numbers that OSCORE has
there are 262,144 such blocks, one for each device and start of the hub."""
ECHO_BYTES = 8
