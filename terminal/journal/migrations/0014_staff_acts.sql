-- What was done about staff (hired, another PIN, let go), when, and who signed. Lines are only added.
CREATE TABLE staff_acts (
    act_id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    act TEXT NOT NULL,
    staff_id INTEGER NOT NULL REFERENCES staff (staff_id),
    by_name TEXT NOT NULL
) STRICT;
