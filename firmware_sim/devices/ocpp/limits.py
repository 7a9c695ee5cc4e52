"""The limits of the charge point, each with its unit in the name."""

OUTLETS_MAX = 8
POWER_W_MAX = 400_000
CALLS_WAITING_MAX = 64
"""Messages that are not kept over a cut: statuses, heartbeats, notifications."""
LETTERS_KEPT_MAX = 500
"""Transaction messages kept in flash until the central system has taken them."""
TOKENS_LISTED_MAX = 500
TOKENS_CACHED_MAX = 200
TOKENS_PER_LIST_MAX = 100
KEYS_PER_REQUEST_MAX = 100
SETTING_CHARS_MAX = 500
COURSE_READINGS_MAX = 100
DOWNLOADS_MAX = 16
UPLOAD_ADDRESSES_MAX = 16
TEXT_CHARS_MAX = 20

MESSAGE_TIMEOUT_MS = 30_000
BOOT_RETRY_S = 60
"""Where the central system names no interval, or none that is a number above zero."""
INTERVAL_S_MAX = 7 * 24 * 3600
START_MS = 100
"""From power to the first dial."""
REBOOT_MS = 2_000
RESET_DELAY_MS = 500
RESET_DRAIN_MS = 10_000
DOWNLOAD_MS = 3_000
INSTALL_MS = 5_000
UPLOAD_MS = 2_000
"""How long this charger's file transfer and flashing take; a real one takes minutes."""
FIRMWARE_RETRIES_MAX = 10
PROFILES_MAX = 16
PROFILE_PERIODS_MAX = 24
PROFILE_STACK_MAX = 8
COMPOSITE_PERIODS_MAX = 200
COMPOSITE_S_MAX = 7 * 24 * 3600
