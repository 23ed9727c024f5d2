-- Two tables of one name, and a column that is given two values.
CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
INSERT INTO t(a, a, b) VALUES (1, 2, 3);
INSERT INTO t(b, a, b) SELECT 4, 5, 6;
INSERT INTO t(id, id, a) VALUES (7, 8, 9);
SELECT a, b FROM t ORDER BY a, b;
SELECT t.a FROM t, t;
SELECT a FROM t, t;
SELECT t.b FROM t JOIN t USING (a);
SELECT t.a FROM t JOIN t USING (a);
SELECT count(*) FROM t, t WHERE t.rowid = 1;
SELECT count(*) FROM t AS x, t AS y WHERE x.a = y.a;
SELECT (SELECT t.a FROM t LIMIT 1) FROM t;
UPDATE t SET a = 10, a = 11 WHERE b = 3;
SELECT a FROM t WHERE b = 3;
