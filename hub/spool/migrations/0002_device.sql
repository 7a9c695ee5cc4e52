-- The durable copy of the device table: a hub that starts without its backend still knows whom to hear.
CREATE TABLE device (
    tid TEXT PRIMARY KEY,
    wire BLOB NOT NULL
) STRICT, WITHOUT ROWID;
