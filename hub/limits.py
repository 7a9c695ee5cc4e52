"""Bounds of the hub. Units stand last in the names."""

# --- MQTT: one connection
MQTT_PACKET_BYTES_MAX = 20 * 1024
"""The largest packet taken: an envelope (8 KiB) with its topic and properties, and room to grow."""
MQTT_CONNECT_TIMEOUT_MS = 5_000
MQTT_TLS_TIMEOUT_S = 10
MQTT_KEEP_ALIVE_S_MAX = 300
MQTT_RECEIVE_MAX = 16
"""QoS 1 publishes of one terminal that may wait for their commit at the same time."""
MQTT_SUBSCRIPTIONS_MAX = 16
MQTT_FILTERS_PER_PACKET_MAX = 16
MQTT_WRITE_BUFFER_BYTES_MAX = 256 * 1024
"""What may wait for a terminal that does not read; above it, the line is cut."""
MQTT_LANE_MESSAGES_MAX = 64
"""Messages of one terminal that wait for the hub; above it, its socket is not read."""
MQTT_PUBACK_HOLD_S = 0.1
"""How long the PUBACK of a request that is committed waits for its answer, to travel with it."""

# --- MQTT: one session
MQTT_IN_FLIGHT_MAX = 16
MQTT_QUEUE_MESSAGES_MAX = 200
MQTT_QUEUE_BYTES_MAX = 512 * 1024
MQTT_SESSION_EXPIRY_S_MAX = 24 * 3600
MQTT_WILL_DELAY_S_MAX = 300

# --- MQTT: the endpoint
MQTT_CONNECTIONS_MAX = 10_000
"""Sockets, counted from their accept."""
MQTT_HANDSHAKES_MAX = 256
MQTT_HANDSHAKES_PER_ADDRESS_MAX = 64
"""Sockets that have not finished their TLS handshake."""
MQTT_HANDSHAKE_QUIET_S = 60
"""How long the log keeps silent of the same reason for refusing a handshake."""
MQTT_LINES_PER_IDENTITY_MAX = 4
"""Lines of one certificate: the one in use, and those that have not sent their CONNECT yet."""
MQTT_SESSIONS_MAX = 10_000
MQTT_RETAINED_MAX = 2 * MQTT_SESSIONS_MAX + 1
MQTT_TICK_S = 0.5
MQTT_ACCEPT_BACKLOG = 1_024
MQTT_ACCEPT_RETRY_S = 1
MQTT_STOP_TIMEOUT_S = 5

# --- HTTP: where chargers dial in, and firmware is given
HTTP_CHARGERS_MAX = 512
"""Connections: of each charger that a store may have its line, the one before, and some more."""
HTTP_FIRMWARE_MAX = 256
HTTP_REFUSALS_MAX = 64
"""Connections above those that are told *busy*; one more is closed at once."""
HTTP_FIRMWARE_SILENT_PER_ADDRESS_MAX = 64
"""Connections of one address that have asked nothing yet."""
HTTP_CHARGERS_SILENT_PER_ADDRESS_MAX = 256
"""All chargers of a store may stand behind one address, and dial at once when their power is back;
who asks nothing from one address leaves as many places to the others."""
HTTP_TLS_TIMEOUT_S = 10
HTTP_FIRST_REQUEST_S = 10
HTTP_KEEP_ALIVE_S = 30
HTTP_RETRY_AFTER_S = 30
HTTP_QUIET_S = 60
"""How long the log keeps silent of the same reason for refusing somebody."""
HTTP_ACCEPT_BACKLOG = 256
HTTP_ACCEPT_RETRY_S = 1

# --- MQTT: an external broker
BROKER_IN_FLIGHT_MAX = 1_000
BROKER_QUEUE_MESSAGES_MAX = 10_000
BROKER_KEEP_ALIVE_S = 30
BROKER_CONNECT_TIMEOUT_S = 10
BROKER_RECONNECT_DELAY_S_MIN = 1
BROKER_RECONNECT_DELAY_S_MAX = 30
BROKER_SESSION_EXPIRY_S = 24 * 3600
BROKER_RETRY_DELAY_MS_MIN = 50
BROKER_RETRY_DELAY_MS_MAX = 5_000
BROKER_RETRIES_MAX = 100
BROKER_OTHER_HUB_SILENT_S = 75
"""A hub on duty speaks every 30 s; one that was silent for this long is not counted on."""
BROKER_STEADY_S = 120
"""How long a hub that was cut off stays online before it takes duty back from one that serves: a
line that comes and goes moves nothing."""

# --- Its SQLite files
DURABLE_BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for another program's transaction (`tillway hub`)."""
DEVICE_TABLE_BYTES_MAX = 8 * 1024 * 1024
"""Of the backend's signed table of a store's devices."""
