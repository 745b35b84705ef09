-- How often it is tried before it is given up: as the setting was when it was accepted, or as somebody chose since.
ALTER TABLE recipient ADD COLUMN max_attempts INTEGER NOT NULL DEFAULT 8;
