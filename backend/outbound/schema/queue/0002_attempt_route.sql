-- By which transport a connection was made, and why that one was chosen.
ALTER TABLE attempt ADD COLUMN transport TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN reason TEXT NOT NULL DEFAULT '';
