-- patchd:transaction none
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN 1=1 THEN 1 END; END;
DO $x$ BEGIN; $$ ; $x$;
SELECT E'a\';' , $tag$;$tag$;
COPY t (a) FROM stdin;
1	2
\.
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t(a);/* /* n */ */ALTER TYPE e ADD VALUE 'x'; VACUUM; SET search_path = a; DROP INDEX CONCURRENTLY i;
\i x
