-- The database of each folder at 8.0.1.
CREATE TABLE employee (number INTEGER PRIMARY KEY, name TEXT NOT NULL, salary INTEGER NOT NULL);
INSERT INTO employee VALUES (1, 'Durand', 2400), (2, 'Martin', 2750);
