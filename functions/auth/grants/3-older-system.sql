-- Only where the older system's table is in the database: whoever signs in is taken out of it. Without this the serving
-- function acts as if the table weren't there, and only `decant-auth import` takes people over. Take it back
-- (REVOKE …) and drop the table when nobody is left in it.
GRANT SELECT, DELETE ON auth.`user` TO 'auth_user'@'%';
