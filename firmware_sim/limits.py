"""The limits of the simulator, each with its unit in the name."""

PICTURE_BYTES_MAX = 8 * 1024 * 1024
PICTURE_PIXELS_MAX = 40_000_000
CAMERA_QUEUE_PICTURES_MAX = 16
FINGER_NAME_CHARS_MAX = 64
FINGER_SLOTS_MAX = 1000

CARD_NAME_CHARS_MAX = 32
CARDS_MAX = 16
"""That a reader's people have in their hands."""
CARDS_IN_FIELD_MAX = 4
NDEF_BYTES_MAX = 141
"""In an NTAG213: 144 bytes less tag, length and terminator."""
PHONE_MESSAGE_BYTES_MAX = 1024
APDU_BYTES_MAX = 261
CARD_BLOCKS_MAX = 64
"""Of one exchange, chained or repeated."""
PN532_GAP_MS = 200
"""A silence inside a frame after which the rest is not waited for."""

PRINTER_BUFFER_BYTES_MAX = 256 * 1024
PRINTER_BUFFER_BYTES_MIN = 1024
PRINTER_SPEED_MM_S_MAX = 500
FEED_BUTTON_MS_MAX = 10_000
HEAD_HOT_MS_MAX = 600_000
PRINTED_WORDS_BYTES_MAX = 4096
QUESTIONS_OPEN_MAX = 64
RECEIPTS_KEPT_MAX = 1000
RECEIPT_LINES_MAX = 2000
RECEIPT_DOTS_MAX = 40_000
RASTER_BYTES_MAX = 2 * 1024 * 1024
NV_PICTURE_BYTES_MAX = 256 * 1024
LINE_PIECES_MAX = 512
PAGE_PIECES_MAX = 4096
PAGE_PICTURE_BYTES_MAX = 4 * 1024 * 1024
PAGE_MODE_DOTS_MAX = 4096
RECEIPT_PICTURE_BYTES_KEPT_MAX = 64 * 1024 * 1024
REFUSALS_KEPT_MAX = 16
PULSES_KEPT_MAX = 64

LINE_READ_BYTES = 4096
TELNET_OPTION_BYTES_MAX = 64
LINE_OUTBOX_BYTES_MAX = 256 * 1024
LINE_INBOX_BYTES_MAX = 1024 * 1024
HOLD_PIECE_BYTES = 64
LINE_WRITE_WAIT_S = 1.0
LINE_LEAVE_WAIT_S = 3.0
"""How long a stopping board waits for its lines' connections to close."""
WS_DIAL_TIMEOUT_S = 20.0
WS_CALL_WAIT_S = 180.0
"""How long a check waits for a real charge point to call."""
WS_CLOSE_WAIT_S = 1.0
WS_LINES_WAITING_MAX = 256
PACE_BURST_MS = 3

FLASH_SECTOR_BYTES = 4096
FLASH_SLOT_SECTORS_MAX = 128
POWER_OFF_MS_MAX = 600_000
SMP_BUFFER_BYTES = 1024
"""What the controller board says it takes in one message, length and checksum included."""

TRANSPORT_CHARS_MAX = 200
PICTURE_BASE64_CHARS_MAX = PICTURE_BYTES_MAX * 4 // 3 + 4
CODE_CHARS_MAX = 2000
BOOT_MS_MAX = 10_000
RECEIPTS_SHOWN_MAX = 100
ROLL_MM_MAX = 300_000

YAML_BYTES_MAX = 1024 * 1024
YAML_DEPTH_MAX = 32
BOARD_DEVICES_MAX = 10_000
SLOW_BYTE_MS_MAX = 1000
FAULT_DELAY_MS_MAX = 600_000
FAULTS_OF_A_LINE_MAX = 16
BROKEN_OFF_MS = 1200
"""Silence after which a frame is broken off: longer than a byte's slowest pause."""
TURN_QUIET_MS = 100
"""The same where the other side speaks: longer than a burst, shorter than a host's patience."""
BROWN_OUT_MS = 100
WARM_UP_MS = 10_000
FAULT_AT_BYTE_MAX = 1_000_000
FAULT_WINDOW_MS_MAX = 86_400_000
CONTROL_BODY_BYTES_MAX = PICTURE_BASE64_CHARS_MAX + 1024
CONTROL_BODY_READ_BYTES_MAX = 8 * CONTROL_BODY_BYTES_MAX
"""So far a body that is too long is read on, so that who sends it hears why it is refused."""
RUNS_KEPT_MAX = 16
RUNS_AT_ONCE_MAX = 2
RUN_EVENTS_KEPT_MAX = 60
RUN_WAITS_S_MAX = 1800
"""How long a run waits for a person to let its next step happen."""
RUN_LASTS_S_MAX = 3600
RUN_STEPS_AT_ONCE_MAX = 100_000
SCENARIOS_LISTED_MAX = 200
TRACES_KEPT_MAX = 32
TRACE_UPLOAD_BYTES_MAX = 64 * 1024 * 1024
REPLAY_LISTENS_S_MAX = 300
CONTROL_ANSWER_WAIT_S = 30
"""How long a check waits for what a running board answers."""
CONTROL_ANSWER_BYTES_MAX = 64 * 1024 * 1024
CONTROL_LEAVE_WAIT_S = 1
"""How long a stopping board waits for pages that follow it."""
BENCH_FOLLOWERS_MAX = 32
BENCH_LOOK_EVERY_MS = 200
BENCH_PARTS_MAX = 12
"""Drawn on one sheet; a board with more has several."""
BENCH_SOURCE_LINES_MAX = 400
"""Of a scenario, shown around the line that is being run."""
BENCH_TRACE_EVENTS_MAX = 100
"""Of a trace, shown; the file has all."""
BENCH_ROWS_MAX = 60
"""Lines of the timeline that a page begins with."""
BENCH_WORDS_BYTES_MAX = 512
"""Of a frame, shown byte by byte; the API tells more."""
FRAMES_SHOWN_MAX = 40
FILE_WRONGS_TOLD_MAX = 20
"""Of a scenario or a board file."""
REPORT_FRAME_BYTES_MAX = 128
"""Of a frame, in a report; how many there were is told."""
REPORT_FIELD_CHARS_MAX = 200
REPORT_STEP_FRAMES_MAX = 20
"""Of a scenario's step: the first and the last ones."""
REPORT_STEPS_MAX = 100
"""Of a scenario, the first and the last ones."""
PLACES_FRAME_BYTES_MAX = 4096
"""In a longer frame only what its decoder tells is placed."""
WIRE_EVENTS_KEPT_MAX = 4_000
WIRE_BYTES_KEPT_MAX = 8 * 1024 * 1024
"""What the wire's log holds, counted as the bytes of its frames."""
WIRE_FRAME_BYTES_KEPT_MAX = 4096
"""Of a longer frame the log keeps the first bytes."""
WIRE_EVENTS_TOLD_MAX = 200
"""In one answer or one event of a stream."""
PICTURE_FRAMES_MAX = 16
"""Of a display's picture that are one line of the timeline."""
PICTURE_REPEATS_TOLD_MAX = 60
"""Times that a picture was said again, the newest, that its line leads to."""
DRAIN_S_MAX = 30.0
DRAIN_BYTES_MAX = 256 * 1024
"""What a check hears out until the line is quiet; a device that goes on has failed it."""
TRACE_LINES_MAX = 2_000_000
TRACE_FRAME_BYTES_MAX = RASTER_BYTES_MAX + 1024
"""A picture for a printer is the longest frame there is."""
TRACE_LINE_CHARS_MAX = 3 * TRACE_FRAME_BYTES_MAX
REPLAY_GAP_S_MAX = 5.0
REPLAY_SLACK_S = 1.0

SCENARIO_STEPS_MAX = 100_000
SCENARIO_REPEATS_MAX = 1_000_000
SCENARIO_WAIT_MS_MAX = 7 * 86_400_000
SCENARIO_NOTE_CHARS_MAX = 500
SCENARIO_BYTES_MAX = 64 * 1024
SCENARIO_FRAMES_KEPT_MAX = 10_000
"""Frames of a device that no step has expected yet; the oldest go first."""
EXPECT_WITHIN_MS = 2_000
"""How long an expectation waits where the scenario does not say."""
STATE_POLL_MS = 10
DRIVER_END_S = 30
DRIVER_LIMIT_S = 30.0
"""After which a driver hangs, if nobody says otherwise; its start alone can take seconds."""
MDB_SAYINGS_MAX = 16
"""Answers of a peripheral that wait for the next poll."""
MDB_TRACE_BLOCKS_MAX = 256
MDB_COLUMNS_MAX = 200
DRIVER_OUTPUT_CHARS_MAX = 20_000

MODBUS_GAP_MS = 20
"""A silence after which a frame is over."""
CLOCK_JUMP_S_MAX = 366 * 86_400
"""How far a device's clock may go wrong at once."""
GATE_ARM_MS = 1_500
"""How long the arm takes to rise or to fall."""
GATE_CARS_MAX = 500
GATE_TAG_MAX = 2**32 - 1
METER_WRONG_MAX = 5
METER_LOCK_MS = 60_000
"""After so many wrong tokens a meter takes none for so long."""
