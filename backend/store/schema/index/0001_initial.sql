-- The search index of an account; can be built again at any time. The rows are numbered like `content`.
CREATE VIRTUAL TABLE header_words USING fts5 (text, content='', detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 0");

CREATE VIRTUAL TABLE body_words USING fts5 (text, content='', detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 0");

CREATE VIRTUAL TABLE header_terms USING fts5vocab (header_words, 'row');

CREATE VIRTUAL TABLE body_terms USING fts5vocab (body_words, 'row');

CREATE VIRTUAL TABLE header_instances USING fts5vocab (header_words, 'instance');

CREATE VIRTUAL TABLE body_instances USING fts5vocab (body_words, 'instance');

-- Contents up to this one are indexed.
CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    upto INTEGER NOT NULL
);

INSERT INTO progress (id, upto) VALUES (1, 0);

-- Contents of which only the beginning was indexed: always looked into.
CREATE TABLE partial (
    content_id INTEGER PRIMARY KEY
);
