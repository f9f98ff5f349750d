SELECT 1; -- c
UPDATE t SET a = 'b' WHERE c = ?;
