-- Written by a hub whose disk was full, to see whether there is room again; nobody reads it.
CREATE TABLE room (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    filler BLOB NOT NULL
) STRICT;
