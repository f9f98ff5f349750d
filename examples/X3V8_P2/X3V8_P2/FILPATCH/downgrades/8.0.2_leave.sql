ALTER TABLE employee DROP COLUMN leave;
