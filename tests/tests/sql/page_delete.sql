-- https://sqlite.org/lang_delete.html
CREATE TABLE t(a INTEGER PRIMARY KEY, b);
CREATE INDEX t_b ON t(b);
INSERT INTO t VALUES (1, 'x'), (2, NULL), (3, 'z'), (4, 0), (5, 'z');
DELETE FROM t WHERE a = 1;
-- NULL is not true: such a row stays.
DELETE FROM t WHERE b > 'y';
SELECT * FROM t;
DELETE FROM t WHERE nobody = 1;
DELETE FROM nobody;
DELETE FROM t WHERE b IS NULL RETURNING a;
INSERT INTO t SELECT 10 + a, a FROM t;
DELETE FROM t WHERE a = (SELECT max(a) FROM t);
SELECT * FROM t;
DELETE FROM main.t;
SELECT changes(), count(*) FROM t;
CREATE VIEW v AS SELECT a FROM t;
DELETE FROM v;
DELETE FROM sqlite_schema;
PRAGMA integrity_check;
