-- One account. Times are seconds since 1970 (UTC); flags are a bit mask (see flags.py).

-- One row: the counters of the account. `epoch` tells this account's object ids from those of an earlier one of that name.
CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    next_mailbox INTEGER NOT NULL,
    next_content INTEGER NOT NULL,
    next_uidvalidity INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL
);

CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    uidvalidity INTEGER NOT NULL,
    uidnext INTEGER NOT NULL,
    highestmodseq INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    special_use TEXT NOT NULL
);

-- The UIDs of a mailbox as they were at `modseq`: opening a big mailbox reads this and what came after.
CREATE TABLE mailbox_uids (
    mailbox_id INTEGER PRIMARY KEY,
    uidnext INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    runs TEXT NOT NULL
);

-- RFC 9051 §6.3.7: a name stays subscribed when its mailbox is gone.
CREATE TABLE subscription (
    name TEXT PRIMARY KEY
);

CREATE TABLE keyword (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE
);

CREATE TABLE mailbox_keyword (
    mailbox_id INTEGER NOT NULL,
    keyword_id INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, keyword_id)
) WITHOUT ROWID;

-- A message in a mailbox; copies share their content. `keywords`: ids in order, as `,3,17,`; `flags_wire`: as IMAP writes them.
CREATE TABLE message (
    mailbox_id INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    content_id INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    keywords TEXT NOT NULL,
    flags_wire BLOB NOT NULL,
    received_at REAL NOT NULL,
    saved_at REAL NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, uid)
) WITHOUT ROWID;

CREATE INDEX message_modseq ON message (mailbox_id, modseq);

CREATE INDEX message_deleted ON message (mailbox_id, uid) WHERE (flags & 8) != 0;

-- What was expunged, as runs of neighbours.
CREATE TABLE expunged (
    mailbox_id INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    first_uid INTEGER NOT NULL,
    last_uid INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, modseq, first_uid)
) WITHOUT ROWID;

-- The words of addresses and subject are decoded and casefolded, for SEARCH. `blob`: the file's name where the message is a file.
CREATE TABLE content (
    id INTEGER PRIMARY KEY,
    refs INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    header_size INTEGER NOT NULL,
    blob TEXT,
    subject TEXT NOT NULL,
    from_ TEXT NOT NULL,
    to_ TEXT NOT NULL,
    cc TEXT NOT NULL,
    bcc TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sent_at REAL,
    sent_day INTEGER
);

CREATE INDEX content_blob ON content (blob) WHERE blob IS NOT NULL;

-- What is sent as it stands; in tables of its own, so that reading one kind passes over no other.
CREATE TABLE digest (
    content_id INTEGER PRIMARY KEY,
    envelope BLOB NOT NULL,
    body BLOB NOT NULL,
    bodystructure BLOB NOT NULL,
    preview TEXT NOT NULL
);

CREATE TABLE header (
    content_id INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);

-- Whole messages that are not files.
CREATE TABLE body (
    content_id INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);

-- Deliveries to several accounts that reached this one: a repeated one is recognised.
CREATE TABLE delivered (
    delivery_id TEXT PRIMARY KEY,
    at REAL NOT NULL,
    mailbox_id INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    uidvalidity INTEGER NOT NULL
);
