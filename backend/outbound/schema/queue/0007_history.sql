-- The Subject as people read it, shortened, for the lists.
ALTER TABLE message ADD COLUMN subject TEXT NOT NULL DEFAULT '';

-- Who gave it up by hand; and by which rule it is held ('' for by hand), or will be when the attempt that runs fails.
ALTER TABLE recipient ADD COLUMN acted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE recipient ADD COLUMN hold_rule TEXT NOT NULL DEFAULT '';
CREATE INDEX recipient_hold ON recipient (hold_rule) WHERE hold_rule <> '';

-- One message to one recipient that has left the queue; `id` is the number that it had there. Its attempts stay in `attempt`.
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    trace TEXT NOT NULL,
    account TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    domain TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created_at REAL NOT NULL,
    last_attempt_at REAL,
    left_at REAL NOT NULL,
    attempts INTEGER NOT NULL,
    result TEXT NOT NULL,
    acted_by TEXT NOT NULL,
    transport TEXT NOT NULL,
    reason TEXT NOT NULL,
    answer_code INTEGER NOT NULL,
    answer_enhanced TEXT NOT NULL,
    answer_text TEXT NOT NULL,
    remote_mta TEXT NOT NULL,
    came_back TEXT NOT NULL DEFAULT ''
);
CREATE INDEX history_left ON history (left_at, id);
CREATE INDEX history_account ON history (account, left_at, id);
CREATE INDEX history_message ON history (message);
CREATE INDEX history_message_id ON history (message_id);
CREATE INDEX history_recipient ON history (recipient COLLATE NOCASE);

-- What other servers reported later about a message that had left.
CREATE TABLE came_back (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    history INTEGER NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    text TEXT NOT NULL,
    reporter TEXT NOT NULL,
    trace TEXT NOT NULL,
    certain INTEGER NOT NULL
);
CREATE INDEX came_back_history ON came_back (history);
