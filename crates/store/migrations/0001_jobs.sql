-- Job records. Times are milliseconds since 1970 by SQLite's own clock, ids are 24 hex digits.

-- The one clock of every statement: `FROM clock` gives it `now`, which stands still while the statement runs.
CREATE VIEW clock AS
SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    file_name TEXT NOT NULL,
    traceparent TEXT,
    size_bytes INTEGER,                       -- of the video, once it is stored
    state TEXT NOT NULL,
    run INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,                      -- when the run ended

    -- Who may change an uploading or converting job, and until when nobody else may take it.
    lease_token TEXT,
    lease_until INTEGER,

    -- The conversion. `attempt_mp3_id` names what the running attempt writes, `mp3_id` what is published.
    attempts INTEGER NOT NULL DEFAULT 0,
    progress_percent REAL NOT NULL DEFAULT 0,
    attempt_mp3_id TEXT,
    mp3_id TEXT,
    mp3_size_bytes INTEGER,
    mp3_duration_ms INTEGER,
    problem_code TEXT,
    problem_detail TEXT,

    -- Announcements to the broker: how many, the last one, the next one.
    announcements INTEGER NOT NULL DEFAULT 0,
    announced_at INTEGER,
    announce_at INTEGER,

    -- The mail about the end of a run, and who sends it right now. It is due while `mailed_run < run`.
    mailed_run INTEGER NOT NULL DEFAULT 0,
    mail_tries INTEGER NOT NULL DEFAULT 0,
    mail_at INTEGER,                          -- when the next try is due
    mail_token TEXT,
    mail_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_by_owner ON jobs (owner, id);
CREATE UNIQUE INDEX jobs_by_mp3 ON jobs (mp3_id) WHERE mp3_id IS NOT NULL;
CREATE INDEX jobs_uploading ON jobs (lease_until) WHERE state = 'uploading';
CREATE INDEX jobs_unfinished ON jobs (announce_at) WHERE state IN ('queued', 'converting');
CREATE INDEX jobs_unmailed ON jobs (finished_at) WHERE state IN ('ready', 'failed') AND mailed_run < run;

-- MP3s that no job publishes, until the sweep has deleted their payloads.
CREATE TABLE litter (
    mp3_id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX litter_by_age ON litter (since);

-- Whichever statement ends an attempt without publishing its MP3, the MP3 is litter: none can forget it.
CREATE TRIGGER attempt_leaves_litter
AFTER UPDATE OF attempt_mp3_id ON jobs
WHEN old.attempt_mp3_id IS NOT NULL
    AND old.attempt_mp3_id IS NOT new.attempt_mp3_id
    AND old.attempt_mp3_id IS NOT new.mp3_id
BEGIN
    INSERT OR REPLACE INTO litter (mp3_id, job_id, since)
    SELECT old.attempt_mp3_id, old.id, now FROM clock;
END;
