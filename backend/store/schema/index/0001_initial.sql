-- The search index of an account; can be built again at any time. The rows are numbered like `content`. The words are
-- cut by words.py; the tokenizer only separates at spaces, because every character beyond ASCII belongs to a word for it.
CREATE VIRTUAL TABLE header_words USING fts5 (text, content='', detail=none, columnsize=0, tokenize='ascii');

CREATE VIRTUAL TABLE body_words USING fts5 (text, content='', detail=none, columnsize=0, tokenize='ascii');

-- Every word once, to know which are new, ...
CREATE TABLE word (
    text TEXT PRIMARY KEY
) WITHOUT ROWID;

-- ... and many of them in one text, each on a line, to find quickly those in which something stands.
CREATE TABLE vocabulary (
    id INTEGER PRIMARY KEY,
    words TEXT NOT NULL
);

-- Contents up to this one are indexed; `contents` counts them, those that are gone by now too.
CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    upto INTEGER NOT NULL,
    contents INTEGER NOT NULL
);

INSERT INTO progress (id, upto, contents) VALUES (1, 0, 0);

-- Contents of which only the beginning was indexed: always looked into.
CREATE TABLE partial (
    content_id INTEGER PRIMARY KEY
);
