-- Days of leave; everybody starts with 25.
ALTER TABLE employee ADD COLUMN leave INTEGER NOT NULL DEFAULT 25;
UPDATE employee SET leave = 30 WHERE salary < 2500;
