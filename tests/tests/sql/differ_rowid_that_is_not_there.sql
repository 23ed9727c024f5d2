-- A row is looked for behind one that is not there.
CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);
INSERT INTO t VALUES (-1, 2.5, 1), (1, 'x', 'b'), (7, 'y', zeroblob(9000)), (9, NULL, 4);
SELECT a, b, c FROM t WHERE a IN (-1, 0, 1);
SELECT a, c FROM t WHERE a IN (0, 1, 2, 8, 9, 10);
SELECT a, length(c) FROM t WHERE a IN (1, 6, 7, 8, 9);
SELECT x.a, y.b, y.c FROM t x JOIN t y ON y.a = x.a + 1 ORDER BY x.a;
SELECT n, t.b, t.c FROM (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 8 UNION ALL SELECT 9) LEFT JOIN t ON t.a = n ORDER BY n;
SELECT n, (SELECT c FROM t WHERE a = n) FROM (SELECT -1 AS n UNION ALL SELECT 0 UNION ALL SELECT 1) ORDER BY n;
UPDATE t SET b = b || '!' WHERE a IN (0, 1, 8, 9);
SELECT a, b FROM t ORDER BY a;
