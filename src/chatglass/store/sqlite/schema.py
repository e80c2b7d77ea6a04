"""The schema, as numbered migrations.

A migration that was released never changes; the next one has the next number. Each runs in a
transaction of its own (see `migrate`), with foreign keys unchecked until its end. Beside SQLite's
own functions it has those of `functions`.

SQLite 3.34 is the oldest that will do (its trigram tokenizer), so: no STRICT, no RETURNING.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

APPLICATION_ID = 0x43474C53
"""`CGLS` in the file's header: a store of chatglass."""

OLDEST_SQLITE = (3, 34, 0)


@dataclass(frozen=True, slots=True)
class Migration:
    """From `version - 1` to `version`."""

    version: int
    name: str
    sql: str

    def statements(self) -> Iterator[str]:
        statement = ""
        for line in self.sql.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""
        if statement.strip():
            raise ValueError(f"migration {self.version} ends in the middle of: {statement.strip()}")


_FIRST = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    root TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title_by_user INTEGER NOT NULL,
    leaf_id TEXT,
    parameters TEXT NOT NULL,           -- a JSON object of what differs from the defaults
    draft TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    tags TEXT NOT NULL,                 -- a JSON array
    forked_session TEXT,
    forked_message TEXT,
    messages INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    unpriced_requests INTEGER NOT NULL,
    tool_calls INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,              -- 1e-12 USD
    last_status TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    last_answer_id TEXT                 -- the message that last_status is of
);
CREATE INDEX sessions_by_time ON sessions (updated_at, id);

CREATE TABLE messages (
    number INTEGER PRIMARY KEY,         -- order of writing; a child's is above its parent's
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES messages (id),
    turn_id TEXT NOT NULL,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    content_is_json INTEGER NOT NULL,
    reasoning TEXT NOT NULL,
    reasoning_ms INTEGER NOT NULL,
    tool_calls TEXT,
    tool_call_id TEXT,
    tool_name TEXT,
    endpoint TEXT,
    model TEXT,
    error TEXT
);
CREATE INDEX messages_by_parent ON messages (parent_id, session_id);
CREATE INDEX messages_by_session ON messages (session_id);

CREATE TABLE requests (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn_id TEXT NOT NULL,
    message_id TEXT,
    purpose TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    base_url TEXT NOT NULL,
    model TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    tools_hash TEXT,
    body_hash TEXT,
    compaction_id TEXT,
    first_token_at INTEGER,
    finished_at INTEGER,
    finish_reason TEXT,
    attempts INTEGER NOT NULL,
    estimated_prompt_tokens INTEGER NOT NULL,
    prompt_tokens INTEGER,              -- NULL: no usage, and so the next five
    completion_tokens INTEGER,
    cached_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    usage_source TEXT,
    usage_raw TEXT,
    cost INTEGER,                       -- 1e-12 USD; NULL: no price known
    price_source TEXT NOT NULL,
    error TEXT,
    part_chunks BLOB NOT NULL,          -- digests (32 bytes each) of blobs of 128 parts each,
    part_tail TEXT NOT NULL             -- and the parts after them, as JSON
);
CREATE INDEX requests_by_session ON requests (session_id);

CREATE TABLE blobs (
    digest BLOB PRIMARY KEY,            -- SHA-256
    text TEXT NOT NULL,
    held_until INTEGER NOT NULL         -- kept till then without a session; 0: no longer needed
);
CREATE INDEX blobs_held ON blobs (held_until) WHERE held_until > 0;
CREATE TABLE session_blobs (
    digest BLOB NOT NULL REFERENCES blobs (digest),
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    PRIMARY KEY (digest, session_id)
) WITHOUT ROWID;
CREATE INDEX session_blobs_by_session ON session_blobs (session_id);

CREATE TABLE tool_calls (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    arguments TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    server TEXT NOT NULL,
    state TEXT NOT NULL,
    edited_arguments TEXT,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    result_bytes INTEGER NOT NULL,
    seen_bytes INTEGER NOT NULL,
    error TEXT
);
CREATE INDEX tool_calls_by_session ON tool_calls (session_id);
CREATE TABLE tool_results (
    tool_call_id TEXT PRIMARY KEY REFERENCES tool_calls (id) ON DELETE CASCADE,
    produced TEXT NOT NULL,
    seen TEXT                           -- NULL: the same
);

CREATE TABLE compactions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    anchor_id TEXT NOT NULL,
    first_kept_id TEXT NOT NULL,
    strategy TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    summary TEXT NOT NULL,
    request_id TEXT,
    tokens_before INTEGER NOT NULL,
    tokens_after INTEGER NOT NULL
);
CREATE INDEX compactions_by_session ON compactions (session_id);

CREATE TABLE queued_prompts (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    content_json TEXT
);
CREATE INDEX queued_prompts_by_session ON queued_prompts (session_id);

CREATE TABLE holders (
    session_id TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    pid INTEGER NOT NULL,
    started TEXT NOT NULL,
    boot TEXT NOT NULL,
    claimed_at INTEGER NOT NULL
);

-- What the index holds: its rowids are these ids, so the highest is what was written last.
CREATE TABLE search_rows (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,                 -- title, message, arguments, result
    ref TEXT NOT NULL,                  -- id of the session, message or tool call
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    chars INTEGER,                      -- how many characters of it; NULL: all
    own TEXT,                           -- the text, where it isn't that of the row as it stands
    UNIQUE (ref, kind)
);
CREATE INDEX search_rows_by_session ON search_rows (session_id);
CREATE VIEW search_texts (id, text) AS
    SELECT id, CASE WHEN chars IS NULL THEN text ELSE substr(text, 1, chars) END FROM (
        SELECT id, chars, CASE WHEN own IS NOT NULL THEN own ELSE CASE kind
            WHEN 'title' THEN (SELECT title FROM sessions WHERE id = ref)
            WHEN 'message' THEN (SELECT content FROM messages WHERE id = ref)
            WHEN 'arguments' THEN (SELECT arguments FROM tool_calls WHERE id = ref)
            WHEN 'result' THEN (SELECT produced FROM tool_results WHERE tool_call_id = ref)
        END END AS text FROM search_rows
    );
CREATE VIRTUAL TABLE search USING fts5 (
    text, content = 'search_texts', content_rowid = 'id', tokenize = 'trigram', columnsize = 0
);
"""

_SECOND = """
-- Tool names belong to what is found of a call. An external-content index has to be told the old
-- text before it changes.
INSERT INTO search (search, rowid, text)
    SELECT 'delete', id, text FROM search_texts
    WHERE id IN (SELECT id FROM search_rows WHERE kind = 'arguments');
-- A tool message repeats the result of its call, which is indexed by itself.
INSERT INTO search (search, rowid, text)
    SELECT 'delete', id, text FROM search_texts WHERE id IN (
        SELECT s.id FROM search_rows s JOIN messages m ON m.id = s.ref
        WHERE s.kind = 'message' AND m.role = 'tool'
    );
DELETE FROM search_rows WHERE kind = 'message' AND ref IN (
    SELECT id FROM messages WHERE role = 'tool'
);
DROP VIEW search_texts;
CREATE VIEW search_texts (id, text) AS
    SELECT id, CASE WHEN chars IS NULL THEN text ELSE substr(text, 1, chars) END FROM (
        SELECT id, chars, CASE WHEN own IS NOT NULL THEN own ELSE CASE kind
            WHEN 'title' THEN (SELECT title FROM sessions WHERE id = ref)
            WHEN 'message' THEN (SELECT content FROM messages WHERE id = ref)
            WHEN 'arguments' THEN (SELECT name || ' ' || arguments FROM tool_calls WHERE id = ref)
            WHEN 'result' THEN (SELECT produced FROM tool_results WHERE tool_call_id = ref)
        END END AS text FROM search_rows
    );
UPDATE search_rows SET own = (SELECT name FROM tool_calls WHERE id = ref) || ' ' || own
    WHERE kind = 'arguments' AND own IS NOT NULL;
INSERT INTO search (rowid, text)
    SELECT id, text FROM search_texts
    WHERE id IN (SELECT id FROM search_rows WHERE kind = 'arguments');

-- The pairs of neighbours in runs of Chinese, Japanese and Korean, since a trigram needs three
-- characters. Keeps no text: to forget one, it has to be told the same pairs again.
CREATE VIRTUAL TABLE search_pairs USING fts5 (
    text, content = '', tokenize = 'ascii', detail = 'none', columnsize = 0
);
INSERT INTO search_pairs (rowid, text)
    SELECT id, pairs FROM (SELECT id, cjk_pairs(text) AS pairs FROM search_texts)
    WHERE pairs <> '';

-- Which tools were called and which models asked in a session.
CREATE TABLE session_uses (
    kind TEXT NOT NULL,                 -- tool, model
    name TEXT NOT NULL,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, name, session_id)
) WITHOUT ROWID;
CREATE INDEX session_uses_by_session ON session_uses (session_id);
INSERT OR IGNORE INTO session_uses SELECT 'tool', name, session_id FROM tool_calls;
INSERT OR IGNORE INTO session_uses SELECT 'model', model, session_id FROM requests;
CREATE TRIGGER tool_is_used AFTER INSERT ON tool_calls BEGIN
    INSERT OR IGNORE INTO session_uses VALUES ('tool', new.name, new.session_id);
END;
CREATE TRIGGER model_is_used AFTER INSERT ON requests BEGIN
    INSERT OR IGNORE INTO session_uses VALUES ('model', new.model, new.session_id);
END;
"""

_THIRD = """
ALTER TABLE requests ADD COLUMN prompt_cost INTEGER;    -- 1e-12 USD; NULL: unknown
CREATE INDEX requests_by_time ON requests (started_at);
CREATE INDEX tool_calls_by_time ON tool_calls (proposed_at, name);

-- The tools whose results a prompt held.
CREATE TABLE request_tools (
    request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    tokens INTEGER NOT NULL,            -- estimated
    cost INTEGER,                       -- their share, 1e-12 USD; NULL: unknown
    PRIMARY KEY (request_id, name)
) WITHOUT ROWID;

-- What is set aside for a request that is about to be sent, and by which process.
CREATE TABLE reservations (
    session_id TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    amount INTEGER NOT NULL,            -- 1e-12 USD
    made_at INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    started TEXT NOT NULL,
    boot TEXT NOT NULL
);
"""

_FOURTH = """
-- Where a result is in a file (`result_files`), `produced` is its start.
ALTER TABLE tool_results ADD COLUMN file TEXT;
ALTER TABLE tool_results ADD COLUMN file_bytes INTEGER;
CREATE INDEX tool_results_in_files ON tool_results (file, file_bytes) WHERE file IS NOT NULL;
"""

_FIFTH = """
-- Where a request went and what came back, in a blob; NULL: nothing of it is kept.
ALTER TABLE requests ADD COLUMN wire_hash TEXT;
"""

_SIXTH = """
ALTER TABLE compactions ADD COLUMN elided_through TEXT;
ALTER TABLE compactions ADD COLUMN replaces TEXT;       -- the id of an earlier version
ALTER TABLE compactions ADD COLUMN undone INTEGER NOT NULL DEFAULT 0;
"""

_SEVENTH = """
-- Those whose usage is our estimate.
ALTER TABLE sessions ADD COLUMN estimated_requests INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET estimated_requests = (
    SELECT count(*) FROM requests r WHERE r.session_id = sessions.id AND r.usage_source = 'estimated'
) WHERE id IN (SELECT session_id FROM requests WHERE usage_source = 'estimated');
"""

MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "sessions and all that is theirs", _FIRST),
    Migration(2, "search for tool names and for pairs of Chinese characters", _SECOND),
    Migration(3, "spending by tool, and budgets", _THIRD),
    Migration(4, "large results in files", _FOURTH),
    Migration(5, "what was received", _FIFTH),
    Migration(6, "versions of compactions, and results left out", _SIXTH),
    Migration(7, "which sessions hold estimates", _SEVENTH),
)
