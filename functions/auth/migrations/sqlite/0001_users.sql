CREATE TABLE users (
    username      TEXT    NOT NULL PRIMARY KEY, -- the mail address, in lower case
    password_hash TEXT    NOT NULL,             -- argon2id, as a PHC string
    admin         INTEGER NOT NULL CHECK (admin IN (0, 1)),
    created_at    INTEGER NOT NULL DEFAULT (unixepoch()) -- seconds since 1970
) STRICT;

-- Logins that failed within the window, and those that are being checked.
CREATE TABLE login_attempts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account       BLOB,             -- SHA-256 of the name; null once a success cleared it
    network       TEXT    NOT NULL, -- the client's IPv4 address or IPv6 /64
    attempted_at  INTEGER NOT NULL, -- milliseconds since 1970
    pending_until INTEGER NOT NULL  -- milliseconds since 1970; 0 once it failed
) STRICT;

CREATE INDEX login_attempts_by_account ON login_attempts (account, attempted_at);
CREATE INDEX login_attempts_by_network ON login_attempts (network, attempted_at);
CREATE INDEX login_attempts_by_age ON login_attempts (attempted_at);
