-- What a person chose for TLS, and what had to hold for each connection.
ALTER TABLE recipient ADD COLUMN tls_choice TEXT NOT NULL DEFAULT 'default';
ALTER TABLE attempt ADD COLUMN policy TEXT NOT NULL DEFAULT '';
