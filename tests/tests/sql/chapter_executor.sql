-- The executor: rows are pulled, one at a time, and kept only where nothing else will do.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_executor.sql
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE visit(person INTEGER, day INTEGER, euros REAL);
CREATE INDEX visit_person ON visit(person);
INSERT INTO person VALUES (1, 'Tom', 'Ulm'), (2, 'Sam', 'Bonn'), (3, 'Ann', 'Ulm'), (4, 'Bob', NULL);
INSERT INTO visit VALUES (1, 1, 9.5), (1, 2, 0.5), (3, 1, 4), (2, 3, NULL), (9, 9, 1);
-- Nested loops: for each row of person, each visit of it. A LEFT JOIN makes up a row of NULLs.
SELECT name, day FROM person JOIN visit ON person = id WHERE city = 'Ulm' ORDER BY name, day;
--> Ann|1
--> Tom|1
--> Tom|2
SELECT name, day FROM person LEFT JOIN visit ON person = id AND day > 1 ORDER BY name;
--> Ann|
--> Bob|
--> Sam|3
--> Tom|2
SELECT count(*), count(name), count(DISTINCT day) FROM visit LEFT JOIN person ON id = person;
--> 5|4|4
-- A group keeps its key and what its aggregates need, not its rows.
SELECT city, count(*), sum(euros), avg(euros), min(name), max(day) FROM person, visit WHERE id = person GROUP BY city ORDER BY city;
--> Bonn|1|||Sam|3
--> Ulm|3|14.0|4.66666666666667|Ann|2
SELECT city, count(*) FROM person GROUP BY city HAVING count(*) > 1;
--> Ulm|2
-- Without GROUP BY there is one group, even of no rows.
SELECT count(*), sum(day), total(day), max(day), group_concat(day) FROM visit WHERE 0;
--> 0||0.0||
SELECT count(*) FROM visit WHERE 0 GROUP BY day;
-- DISTINCT keeps one key for each row that differs; two NULLs do not differ.
SELECT DISTINCT city IS NULL, city = 'Ulm' FROM person ORDER BY 1, 2;
--> 0|0
--> 0|1
--> 1|
-- Sorted: numbers before text before blobs, NULL first, equal keys by the next one.
SELECT typeof(column1) FROM (VALUES (x'00'), ('a'), (2.5), (NULL), (1)) ORDER BY column1;
--> null
--> integer
--> real
--> text
--> blob
SELECT city, name FROM person ORDER BY city DESC, name LIMIT 2 OFFSET 1;
--> Ulm|Tom
--> Bonn|Sam
SELECT city FROM person WHERE city = 'Ulm' UNION SELECT name FROM person WHERE id = 2 EXCEPT SELECT 'x' ORDER BY 1;
--> Sam
--> Ulm
-- A correlated query runs again for each row around it.
SELECT name, (SELECT count(*) FROM visit WHERE person = id) FROM person ORDER BY id;
--> Tom|2
--> Sam|1
--> Ann|1
--> Bob|0
-- Rows to change are found first and changed then: an UPDATE never meets its own rows again.
UPDATE person SET id = id + 10 WHERE id > 0 RETURNING id;
--> 11
--> 12
--> 13
--> 14
UPDATE visit SET (day, euros) = (day + 1, 0) WHERE person = 1;
SELECT day, euros FROM visit WHERE person = 1 ORDER BY day;
--> 2|0.0
--> 3|0.0
DELETE FROM visit WHERE person NOT IN (SELECT id - 10 FROM person);
INSERT INTO visit SELECT person, day + 100, euros FROM visit;
SELECT count(*), sum(day) FROM visit;
--> 8|418
-- A statement that fails half way leaves nothing behind.
CREATE UNIQUE INDEX person_city ON person(name);
UPDATE person SET name = 'Tom' WHERE id > 11;
--! UNIQUE constraint failed: person.name
SELECT group_concat(name, ' ') FROM (SELECT name FROM person ORDER BY id);
--> Tom Sam Ann Bob
PRAGMA integrity_check;
--> ok
-- A query that runs again for each row starts anew with all it has: DISTINCT, groups, LIMIT, VALUES, UNION.
SELECT id, (SELECT count(*) FROM (SELECT DISTINCT euros FROM visit WHERE person = id - 10)) FROM person ORDER BY id;
--> 11|1
--> 12|1
--> 13|1
--> 14|0
SELECT id, (SELECT max(day) FROM visit WHERE person = id - 10 GROUP BY euros ORDER BY euros LIMIT 1), (VALUES (name || id)) FROM person ORDER BY id;
--> 11|103|Tom11
--> 12|103|Sam12
--> 13|101|Ann13
--> 14||Bob14
SELECT id, (SELECT day FROM visit WHERE person = id - 10 UNION SELECT 1000 + id ORDER BY 1 LIMIT 1 OFFSET 1) FROM person ORDER BY id;
--> 11|3
--> 12|103
--> 13|101
--> 14|
-- A query in FROM is pulled row by row in the outermost loop; an inner loop goes through its rows again and again.
SELECT id, (SELECT count(*) FROM visit v, (SELECT euros AS e FROM visit WHERE person = id - 10) WHERE v.euros = e) FROM person ORDER BY id;
--> 11|16
--> 12|0
--> 13|4
--> 14|0
SELECT count(*), group_concat(person) FROM (SELECT person FROM visit ORDER BY person LIMIT 3 OFFSET 1);
--> 3|1,1,1
UPDATE person SET city = (SELECT count(*) FROM person p WHERE p.city = person.city) WHERE city IS NOT NULL;
SELECT group_concat(name || city, ' ') FROM (SELECT name, city FROM person ORDER BY id LIMIT 3);
--> Tom2 Sam1 Ann1
-- Where an index brings the rows of a group together, a group is there before the next one is looked at.
SELECT person, count(*) FROM visit GROUP BY person HAVING count(*) > 1;
--> 1|4
--> 2|2
--> 3|2
SELECT person, count(*) FROM visit GROUP BY person ORDER BY person DESC LIMIT 1;
--> 3|2
