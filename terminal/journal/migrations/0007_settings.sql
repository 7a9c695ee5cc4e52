-- Settings from afar: one row, a JSON document of terminal/domain/settings.py, and how many reports
-- were made of it.
CREATE TABLE settings (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    standing TEXT NOT NULL,
    reports INTEGER NOT NULL
) STRICT;
INSERT INTO settings VALUES (1, '{}', 0);
