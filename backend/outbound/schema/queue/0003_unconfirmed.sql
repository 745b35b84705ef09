-- How often the message may have arrived without our hearing so, so that it may arrive twice.
ALTER TABLE recipient ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0;

-- Figures that outlive the messages they count.
CREATE TABLE tally (
    name TEXT PRIMARY KEY,
    count INTEGER NOT NULL
);
