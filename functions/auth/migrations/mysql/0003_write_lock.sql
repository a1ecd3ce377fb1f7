-- One row. Whoever reads something and writes what follows from it locks the row first.
CREATE TABLE IF NOT EXISTS write_lock (
    id TINYINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB
