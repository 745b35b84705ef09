-- Deliveries to several accounts that may not have reached all of them. A large message is the file `spool`.
CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    at REAL NOT NULL,
    targets TEXT NOT NULL,
    received_at REAL NOT NULL,
    flags TEXT NOT NULL,
    content BLOB,
    spool TEXT
);
