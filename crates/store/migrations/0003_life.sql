-- What its owner calls a job, if not by the video's name.
ALTER TABLE jobs ADD COLUMN title TEXT;

-- Whose jobs are announced, and whose wait. Partial, as `jobs_unfinished` is: most jobs have ended.
CREATE INDEX jobs_announced ON jobs (owner) WHERE state IN ('queued', 'converting');
CREATE INDEX jobs_waiting ON jobs (owner, id) WHERE state = 'waiting';
CREATE INDEX jobs_cancelled ON jobs (finished_at) WHERE state = 'cancelled';

-- Enough to add up what a person takes up, without the rows.
CREATE INDEX jobs_usage ON jobs (owner, state, size_bytes, mp3_size_bytes);

CREATE INDEX litter_by_job ON litter (job_id);

-- Whichever statement publishes another MP3, or none, the one before is litter.
CREATE TRIGGER replaced_mp3_is_litter
AFTER UPDATE OF mp3_id ON jobs
WHEN old.mp3_id IS NOT NULL AND old.mp3_id IS NOT new.mp3_id
BEGIN
    INSERT OR REPLACE INTO litter (mp3_id, job_id, since)
    SELECT old.mp3_id, old.id, now FROM clock;
END;

CREATE TRIGGER cancelled_job_keeps_nothing_apart
AFTER UPDATE OF state ON jobs
WHEN new.state = 'cancelled'
BEGIN
    DELETE FROM covers WHERE job_id = new.id;
    DELETE FROM waveforms WHERE job_id = new.id;
END;
