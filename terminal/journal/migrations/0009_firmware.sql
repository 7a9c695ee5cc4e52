-- Firmware of the controller board: one row, a JSON document of terminal/domain/firmware.py, and how
-- many reports were made of it.
CREATE TABLE firmware (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    wish TEXT NOT NULL,
    reports INTEGER NOT NULL
) STRICT;
INSERT INTO firmware VALUES (1, '{}', 0);
