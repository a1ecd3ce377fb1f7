-- For the server's administrator, before the first `decant-auth migrate`: the database, and the account that makes its
-- tables. `decant-auth user` and `decant-auth import` may use it too. Not for the serving function.
CREATE DATABASE IF NOT EXISTS auth CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'auth_migrator'@'%' IDENTIFIED BY 'change me';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX ON auth.* TO 'auth_migrator'@'%';
