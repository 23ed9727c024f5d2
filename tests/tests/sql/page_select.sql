-- https://sqlite.org/lang_select.html
CREATE TABLE t1(a, b);
CREATE TABLE t2(b, c);
CREATE TABLE empty(x, y);
INSERT INTO t1 VALUES (1, 'one'), (2, 'two'), (3, NULL), (2, 'two');
INSERT INTO t2 VALUES ('one', 10), ('two', 20), ('two', 21), ('six', 60);
-- Without FROM there is one row of input.
SELECT 1, 'a' || 'b', NULL;
SELECT 1 WHERE 0;
-- Joins: comma, CROSS, INNER and JOIN alone are the same; LEFT adds rows of NULLs.
SELECT count(*) FROM t1, t2;
SELECT count(*) FROM t1 CROSS JOIN t2;
SELECT count(*) FROM t1 INNER JOIN t2;
SELECT a, c FROM t1 JOIN t2 ON t1.b = t2.b ORDER BY a, c;
SELECT a, c FROM t1, t2 WHERE t1.b = t2.b ORDER BY 1, 2;
SELECT a, t1.b, c FROM t1 LEFT JOIN t2 ON t1.b = t2.b AND c > 10 ORDER BY a, c;
SELECT a, t2.b FROM t1 LEFT OUTER JOIN t2 ON t1.b = t2.b WHERE t2.b IS NULL;
SELECT * FROM t1 JOIN t2 USING (b) ORDER BY a, c;
SELECT * FROM t1 NATURAL JOIN t2 ORDER BY a, c;
SELECT b, c FROM t1 NATURAL LEFT JOIN t2 ORDER BY a, c;
SELECT x.a, y.a FROM t1 AS x, t1 y WHERE x.a < y.a ORDER BY 1, 2;
SELECT count(*) FROM t1 LEFT JOIN empty;
-- Result columns.
SELECT *, a FROM t1 WHERE a = 1;
SELECT t2.*, t1.a FROM t1, t2 WHERE t1.b = t2.b AND a = 1;
SELECT b FROM t1, t2;
SELECT nobody FROM t1;
SELECT nobody.* FROM t1;
SELECT *;
SELECT a AS x FROM t1 WHERE x = 1;
.headers on
SELECT a, b AS named, a + 1, "b" FROM t1 LIMIT 1;
SELECT t1.a, T1.B FROM t1 LIMIT 1;
SELECT * FROM t1, t2 LIMIT 1;
.headers off
-- WHERE: only what is true stays.
SELECT a FROM t1 WHERE b = 'two';
SELECT a FROM t1 WHERE b <> 'two';
SELECT a FROM t1 WHERE b;
SELECT a FROM t1 WHERE a BETWEEN 2 AND 3 AND b IN ('one', 'two');
-- Aggregates: with GROUP BY a row for each group, without it one row always.
SELECT count(*), count(b), sum(a), min(b), max(b) FROM t1;
SELECT count(*), sum(x), max(y) FROM empty;
SELECT x, count(*) FROM empty GROUP BY x;
SELECT b, count(*) FROM t1 GROUP BY b ORDER BY b;
SELECT a % 2 AS odd, count(*) FROM t1 GROUP BY odd ORDER BY odd;
SELECT b, sum(a) FROM t1 GROUP BY 1 ORDER BY 2 DESC;
SELECT b, count(*) FROM t1 GROUP BY b HAVING count(*) > 1;
SELECT count(*) FROM t1 HAVING count(*) > 100;
SELECT a FROM t1 HAVING a > 1;
SELECT a FROM t1 WHERE count(*) > 1;
SELECT sum(count(*)) FROM t1;
-- A bare column takes its value from the row of the min or max.
SELECT max(c), b FROM t2;
SELECT min(c), b FROM t2 GROUP BY b ORDER BY b;
-- DISTINCT and ALL.
SELECT DISTINCT a, b FROM t1 ORDER BY a;
SELECT ALL a FROM t1 ORDER BY a;
SELECT DISTINCT b IS NULL FROM t1 ORDER BY 1;
SELECT count(DISTINCT b), count(DISTINCT a) FROM t1;
-- Compound queries; they group from the left.
SELECT b FROM t1 UNION SELECT b FROM t2 ORDER BY b;
SELECT b FROM t1 UNION ALL SELECT b FROM t2 ORDER BY b;
SELECT b FROM t2 EXCEPT SELECT b FROM t1;
SELECT b FROM t1 INTERSECT SELECT b FROM t2 ORDER BY 1;
SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 1 UNION ALL SELECT 1;
SELECT 1, 2 UNION SELECT 3;
SELECT a FROM t1 ORDER BY a UNION SELECT c FROM t2;
SELECT a FROM t1 LIMIT 1 UNION SELECT c FROM t2;
SELECT a AS n FROM t1 UNION SELECT c FROM t2 ORDER BY n DESC LIMIT 3;
SELECT a FROM t1 UNION SELECT c FROM t2 ORDER BY a + 1;
-- ORDER BY: alias, position, expression, several keys, NULLs first unless told.
SELECT a AS z FROM t1 ORDER BY z DESC;
SELECT b, a FROM t1 ORDER BY 2 DESC, 1;
SELECT a FROM t1 ORDER BY 3;
SELECT a FROM t1 ORDER BY -a, b;
SELECT b FROM t1 ORDER BY b;
SELECT b FROM t1 ORDER BY b NULLS LAST;
SELECT b FROM t1 ORDER BY b DESC NULLS FIRST;
SELECT column1 FROM (VALUES ('b'), ('A'), ('a'), ('B')) ORDER BY column1;
SELECT column1 FROM (VALUES ('b'), ('A'), ('C')) ORDER BY column1 COLLATE NOCASE;
-- LIMIT and OFFSET; a negative limit is none.
SELECT c FROM t2 ORDER BY c LIMIT 2;
SELECT c FROM t2 ORDER BY c LIMIT 2 OFFSET 1;
SELECT c FROM t2 ORDER BY c LIMIT 1, 2;
SELECT c FROM t2 ORDER BY c LIMIT -1 OFFSET 3;
SELECT c FROM t2 ORDER BY c LIMIT 0;
SELECT c FROM t2 ORDER BY c LIMIT 1 + 1 OFFSET -5;
SELECT c FROM t2 LIMIT 'x';
-- VALUES, and a subquery as a table.
VALUES (1, 2), (3, 4);
VALUES (1), (2, 3);
SELECT * FROM (SELECT a, count(*) AS n FROM t1 GROUP BY a) WHERE n > 1;
SELECT s.n FROM (SELECT max(c) n FROM t2) AS s;
