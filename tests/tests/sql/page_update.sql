-- https://sqlite.org/lang_update.html
CREATE TABLE t(a INTEGER PRIMARY KEY, b, c UNIQUE);
INSERT INTO t VALUES (1, 'x', 10), (2, 'y', 20), (3, 'z', 30);
UPDATE t SET b = upper(b);
UPDATE t SET b = 'two', c = 21 WHERE a = 2;
-- Each right side sees the row as it was.
UPDATE t SET b = c, c = b WHERE a = 3;
SELECT * FROM t;
-- A column named twice: the last one counts.
UPDATE t SET b = 1, b = 2 WHERE a = 1;
UPDATE t SET (b, c) = (a + 1, (SELECT other.c * 10 FROM t AS other WHERE other.a = t.a)) WHERE a < 3;
SELECT * FROM t;
UPDATE t SET a = a + 10 WHERE b IS NOT NULL RETURNING a, b;
UPDATE t SET c = 1;
UPDATE OR IGNORE t SET c = 1;
SELECT * FROM t;
UPDATE OR REPLACE t SET c = 1 WHERE a = 12;
SELECT * FROM t;
UPDATE t SET nobody = 1;
UPDATE nobody SET a = 1;
UPDATE t SET a = 'text';
UPDATE main.t SET b = (SELECT count(*) FROM t);
SELECT * FROM t;
UPDATE t SET b = 5 WHERE a IN (SELECT a FROM t WHERE b > 1);
SELECT changes();
UPDATE t SET b = 6 WHERE 0;
SELECT changes();
CREATE VIEW v AS SELECT a FROM t;
UPDATE v SET a = 1;
PRAGMA integrity_check;
