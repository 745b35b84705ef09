-- Up to this modseq the notes of what was expunged are gone: who comes back from before is told all that is missing.
ALTER TABLE mailbox ADD COLUMN expunged_floor INTEGER NOT NULL DEFAULT 0;
