-- For the server's administrator, after the first `decant-auth migrate`: the account of the serving function, which can
-- sign people in and nothing else. It makes no tables, changes no passwords, removes nobody.
CREATE USER IF NOT EXISTS 'auth_user'@'%' IDENTIFIED BY 'change me';
GRANT SELECT, INSERT ON auth.users TO 'auth_user'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON auth.login_attempts TO 'auth_user'@'%';
GRANT SELECT, UPDATE ON auth.write_lock TO 'auth_user'@'%'; -- UPDATE is what SELECT … FOR UPDATE asks for
