-- What people see and find of their jobs.

-- Rises with every change of a record, and says when it came: the time, or the version before plus 1 if that is more.
ALTER TABLE jobs ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET version = updated_at;
CREATE INDEX jobs_by_version ON jobs (version);
CREATE INDEX jobs_by_owner_and_version ON jobs (owner, version);

-- How a conversion gets on, noted with its progress: seconds of sound per second, and seconds until it ends.
ALTER TABLE jobs ADD COLUMN speed REAL;
ALTER TABLE jobs ADD COLUMN time_left_s REAL;

-- Who stands in line. All that is read of them.
CREATE INDEX jobs_in_line ON jobs (id, owner, state) WHERE state IN ('waiting', 'queued');

-- What an uploader calls an upload, so that it isn't taken twice.
ALTER TABLE jobs ADD COLUMN idempotency_key TEXT;
CREATE UNIQUE INDEX jobs_by_idempotency_key ON jobs (owner, idempotency_key)
WHERE idempotency_key IS NOT NULL;

-- The MP3 that the job had until its time was over, and when the video's was. The video's bytes wait to be deleted for as
-- long as `video_litter_since` is there.
ALTER TABLE jobs ADD COLUMN expired_mp3_id TEXT;
ALTER TABLE jobs ADD COLUMN video_expired_at INTEGER;
ALTER TABLE jobs ADD COLUMN video_litter_since INTEGER;
CREATE INDEX jobs_by_expired_mp3 ON jobs (expired_mp3_id) WHERE expired_mp3_id IS NOT NULL;
CREATE INDEX jobs_with_mp3 ON jobs (finished_at) WHERE mp3_id IS NOT NULL;
CREATE INDEX jobs_with_video ON jobs (finished_at) WHERE video_expired_at IS NULL;
CREATE INDEX jobs_with_video_litter ON jobs (video_litter_since) WHERE video_litter_since IS NOT NULL;

CREATE TRIGGER expired_mp3_is_litter
AFTER UPDATE OF expired_mp3_id ON jobs
WHEN new.expired_mp3_id IS NOT NULL AND new.expired_mp3_id IS NOT old.expired_mp3_id
BEGIN
    INSERT OR REPLACE INTO litter (mp3_id, job_id, since)
    SELECT new.expired_mp3_id, new.id, now FROM clock;
    DELETE FROM waveforms WHERE job_id = new.id;
END;
