-- How many sendings to the recipient were without an answer, so that it may have arrived more than once.
ALTER TABLE history ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0;

-- Whether an attempt that a stop of the server ended before anything was sent has been forgiven once.
ALTER TABLE recipient ADD COLUMN forgiven INTEGER NOT NULL DEFAULT 0;
