-- What the uploader asks of the conversion, as JSON. NULL asks for nothing.
ALTER TABLE jobs ADD COLUMN options TEXT;

-- Apart from `jobs`, whose rows are read by the hundred and written anew with each change: the cover that came with a
-- video, and the waveform of an attempt's MP3, which counts once that MP3 is published.
CREATE TABLE covers (
    job_id TEXT PRIMARY KEY,
    picture BLOB NOT NULL
) STRICT;

CREATE TABLE waveforms (
    job_id TEXT PRIMARY KEY,
    mp3_id TEXT NOT NULL,
    points BLOB NOT NULL                      -- a byte each, 255 is full scale
) STRICT;

CREATE TRIGGER job_takes_along_what_is_kept_apart
AFTER DELETE ON jobs
BEGIN
    DELETE FROM covers WHERE job_id = old.id;
    DELETE FROM waveforms WHERE job_id = old.id;
END;
