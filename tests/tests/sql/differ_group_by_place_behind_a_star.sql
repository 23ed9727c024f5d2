-- GROUP BY 2 counts the columns that a * stands for, as ORDER BY 2 does.
CREATE TABLE t(a, b);
INSERT INTO t VALUES (1, 1), (1, 2), (2, 1), (2, 1);
SELECT *, a + b FROM t GROUP BY 2 ORDER BY 1, 2;
SELECT t.*, count(*) FROM t GROUP BY 1 ORDER BY 1;
SELECT *, count(*) FROM t GROUP BY 1, 2 ORDER BY 1, 2;
SELECT x.*, y.*, count(*) FROM t x JOIN t y USING (a) GROUP BY 3, 1 ORDER BY 1, 2, 3;
SELECT *, count(*) FROM t GROUP BY 3;
SELECT *, a FROM t GROUP BY 4;
SELECT * FROM (SELECT *, count(*) FROM t GROUP BY 2) GROUP BY 3;
