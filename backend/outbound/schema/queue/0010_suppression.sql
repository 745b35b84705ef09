-- Addresses that an account sends nothing to; `account` '' for all accounts, `ends_at` NULL for ever. `address` in lower case.
CREATE TABLE suppression (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    automatic INTEGER NOT NULL,
    reason TEXT NOT NULL,
    trace TEXT NOT NULL,
    since REAL NOT NULL,
    ends_at REAL
);
CREATE UNIQUE INDEX suppression_address ON suppression (account, address);

-- By which the reports of other servers name the message (RFC 3461).
ALTER TABLE history ADD COLUMN envelope_id TEXT NOT NULL DEFAULT '';
