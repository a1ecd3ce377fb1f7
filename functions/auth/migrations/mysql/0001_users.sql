-- MySQL commits at every CREATE TABLE: each migration is one statement that may run twice.
CREATE TABLE IF NOT EXISTS users (
    username      VARCHAR(254) NOT NULL PRIMARY KEY, -- the mail address, in lower case
    password_hash VARCHAR(255) NOT NULL,             -- argon2id, as a PHC string
    admin         BOOLEAN      NOT NULL,
    created_at    BIGINT       NOT NULL              -- milliseconds since 1970
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
