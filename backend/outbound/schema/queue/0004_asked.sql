-- What the sender asked for (RFC 3461, 4865, 8689). `future_release` as it was asked; `release_at` 0: at once.
ALTER TABLE message ADD COLUMN ret TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN envelope_id TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN require_tls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN tls_optional INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN future_release TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN release_at REAL NOT NULL DEFAULT 0;

-- `notify`: words with commas; `original`: type, semicolon, address. Empty: nothing was said.
ALTER TABLE recipient ADD COLUMN notify TEXT NOT NULL DEFAULT '';
ALTER TABLE recipient ADD COLUMN original TEXT NOT NULL DEFAULT '';
