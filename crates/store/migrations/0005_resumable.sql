-- An upload that comes in pieces: how long it will be, how much of it is stored for good, when it is given up unless more
-- comes, and what came beside it, as its uploader wrote it. NULL in an upload that ends with its request. While nobody
-- writes, it has no lease.
ALTER TABLE jobs ADD COLUMN upload_length INTEGER;
ALTER TABLE jobs ADD COLUMN upload_offset INTEGER;
ALTER TABLE jobs ADD COLUMN upload_expires_at INTEGER;
ALTER TABLE jobs ADD COLUMN upload_metadata TEXT;

-- What has come of an upload counts among what a person takes up.
DROP INDEX jobs_usage;
CREATE INDEX jobs_usage ON jobs (owner, state, size_bytes, upload_offset, mp3_size_bytes, video_expired_at);
