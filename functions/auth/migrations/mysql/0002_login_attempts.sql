-- Logins that failed within the window, and those that are being checked.
CREATE TABLE IF NOT EXISTS login_attempts (
    id            BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account       BINARY(32),           -- SHA-256 of the name; null once a success cleared it
    network       VARCHAR(64) NOT NULL, -- the client's IPv4 address or IPv6 /64
    attempted_at  BIGINT      NOT NULL, -- milliseconds since 1970
    pending_until BIGINT      NOT NULL, -- milliseconds since 1970; 0 once it failed
    INDEX login_attempts_by_account (account, attempted_at),
    INDEX login_attempts_by_network (network, attempted_at),
    INDEX login_attempts_by_age (attempted_at)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
