-- MTA-STS policies of other domains, kept for as long as they say (RFC 8461 §3.2). `mx`: one pattern a line.
CREATE TABLE policy (
    domain TEXT PRIMARY KEY,
    policy_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    mx TEXT NOT NULL,
    max_age_s INTEGER NOT NULL,
    fetched_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL NOT NULL
);
CREATE INDEX policy_expires ON policy (expires_at);
