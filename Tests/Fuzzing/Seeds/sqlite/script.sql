CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c=';'; END;
-- patchd:reconnect
INSERT INTO [a b] VALUES(`x`, "y", 'z''');
/* c */ BEGIN; COMMIT; PRAGMA user_version=3; EXPLAIN QUERY PLAN SELECT 1;
ATTACH 'x' AS y;
