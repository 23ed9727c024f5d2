-- Storage, seen from SQL: records, b-trees with overflow, free pages, journal and savepoints.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_storage.sql
-- A record stores each value with the type that it has; a REAL of 5.0 takes one byte and comes back real.
CREATE TABLE kinds(id INTEGER PRIMARY KEY, n, r REAL);
INSERT INTO kinds VALUES (-1, NULL, 5), (127, 'text', 0.5), (128, x'00ff', -5);
INSERT INTO kinds VALUES (9223372036854775807, 9223372036854775807, 1e300);
SELECT id, typeof(n), r FROM kinds;
--> -1|null|5.0
--> 127|text|0.5
--> 128|blob|-5.0
--> 9223372036854775807|integer|1.0e+300
-- A column added later is missing in the old records: they have its default.
ALTER TABLE kinds ADD COLUMN later DEFAULT 'none';
SELECT DISTINCT later FROM kinds;
--> none
-- A thousand rows make a tree of several pages, and values larger than a page a chain of them.
CREATE TABLE tree(id INTEGER PRIMARY KEY, key TEXT UNIQUE, body BLOB);
INSERT INTO tree(key) SELECT a.column1 || b.column1 || c.column1 FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) a, (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) b, (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) c;
UPDATE tree SET body = zeroblob(id * 20) WHERE id % 10 = 0;
SELECT count(*), min(key), max(key), sum(length(body)), max(length(body)) FROM tree;
--> 1000|000|999|1010000|20000
PRAGMA integrity_check;
--> ok
-- Pages of rows that are gone are free, and used again.
DELETE FROM tree WHERE id % 3 > 0;
SELECT count(*), sum(length(body)) FROM tree;
--> 333|336600
INSERT INTO tree(key, body) SELECT 'again' || key, zeroblob(3000) FROM tree WHERE id < 300;
SELECT count(*), sum(length(body)) FROM tree;
--> 432|633600
PRAGMA integrity_check;
--> ok
-- What the journal and the savepoints hold comes back.
BEGIN;
DELETE FROM tree;
SAVEPOINT one;
DROP TABLE kinds;
ROLLBACK TO one;
SELECT count(*) FROM kinds;
--> 4
ROLLBACK;
SELECT count(*) FROM tree;
--> 432
DROP TABLE tree;
PRAGMA integrity_check;
--> ok
