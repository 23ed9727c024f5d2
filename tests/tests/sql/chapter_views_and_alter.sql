-- ALTER TABLE keeps every view readable: what would break one is an error and changes nothing.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_views_and_alter.sql
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, age INTEGER, mail TEXT);
CREATE VIEW adult AS SELECT name FROM person WHERE age >= 18;
INSERT INTO person VALUES (1, 'Tom', 18, NULL), (2, 'Sam', 7, 's@x');
ALTER TABLE person RENAME TO people;
SELECT * FROM adult;
--> Tom
ALTER TABLE people DROP COLUMN age;
--! error in view adult after drop column: no such column: age
ALTER TABLE people DROP COLUMN mail;
SELECT * FROM people;
--> 1|Tom|18
--> 2|Sam|7
SELECT sql FROM sqlite_schema WHERE type = 'view';
--> CREATE VIEW adult AS SELECT name FROM "people" WHERE age >= 18
PRAGMA integrity_check;
--> ok
