-- A message that was accepted and has recipients left. `content` is NULL when it lies in the file `messages/<file>`.
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    trace TEXT NOT NULL,
    account TEXT NOT NULL,
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    smtputf8 INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    header_bytes INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    created_at REAL NOT NULL,
    practice INTEGER NOT NULL,
    file TEXT NOT NULL,
    content BLOB
);

-- One message to one recipient: what the faces call an item of the queue.
CREATE TABLE recipient (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL,
    address TEXT NOT NULL,
    domain TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at REAL NOT NULL,
    last_attempt_at REAL,
    override TEXT,
    chosen TEXT NOT NULL,
    chosen_reason TEXT NOT NULL,
    note TEXT NOT NULL,
    answer_code INTEGER NOT NULL,
    answer_enhanced TEXT NOT NULL,
    answer_text TEXT NOT NULL,
    remote_mta TEXT NOT NULL,
    notice TEXT NOT NULL,
    local_account TEXT NOT NULL,
    local_mailbox TEXT NOT NULL
);
CREATE INDEX recipient_due ON recipient (state, next_attempt_at);
CREATE INDEX recipient_message ON recipient (message, domain);
CREATE INDEX recipient_notice ON recipient (message) WHERE notice <> '';

-- One connection, made or refused, for the recipients of one domain.
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL,
    domain TEXT NOT NULL,
    at REAL NOT NULL,
    host TEXT NOT NULL,
    ip TEXT NOT NULL,
    port INTEGER NOT NULL,
    tls TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    answer TEXT NOT NULL,
    duration_ms INTEGER NOT NULL,
    excerpt TEXT NOT NULL
);
CREATE INDEX attempt_message ON attempt (message, domain);

-- Whom an account has sent to: within the window, and when for the first time ever (limits on sending).
CREATE TABLE outgoing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    recipient TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX outgoing_account ON outgoing (account, at);

CREATE TABLE known_recipient (
    account TEXT NOT NULL,
    recipient TEXT NOT NULL,
    first_at REAL NOT NULL,
    PRIMARY KEY (account, recipient)
);
CREATE INDEX known_recipient_first ON known_recipient (account, first_at);
