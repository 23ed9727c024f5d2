-- Expressions: three values of truth, affinities, and the order across kinds.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_expressions.sql
CREATE TABLE t(i INTEGER, s TEXT, r REAL, b BLOB, n);
INSERT INTO t VALUES ('12', 12, 12, '12', '12');
SELECT typeof(i), typeof(s), typeof(r), typeof(b), typeof(n) FROM t;
--> integer|text|real|text|text
SELECT i = '12', s = 12, n = 12, r = '12.0' FROM t;
--> 1|1|0|1
SELECT NULL = NULL, NULL IS NULL, NULL AND 0, NULL OR 1, NOT NULL;
--> |1|0|1|
SELECT 3 IN (1, NULL), 3 NOT IN (1, 2), 3 IN ();
--> |1|0
SELECT 7 / 2, 7 / 2.0, 7 % 3, 1 / 0, -7 / 2, 1 << 4;
--> 3|3.5|1||-3|16
SELECT 9223372036854775807 + 1, '12abc' + 1, 'abc' || 1;
--> 9.22337203685478e+18|13|abc1
SELECT 'abc' LIKE 'A_c', 'abc' GLOB 'A*', 'a%' LIKE 'a\%' ESCAPE '\';
--> 1|0|1
SELECT CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END, CASE WHEN NULL THEN 1 ELSE 2 END;
--> two|2
SELECT CAST('1.9' AS INTEGER), CAST(1.9 AS INTEGER), CAST(65 AS TEXT), CAST('x' AS REAL);
--> 1|1|65|0.0
SELECT column1 FROM (VALUES (x'00'), ('a'), (2), (1.5), (NULL)) ORDER BY column1 DESC LIMIT 3 OFFSET 1;
--> a
--> 2
--> 1.5
SELECT 'a' = 'A' COLLATE NOCASE, 'a ' = 'a' COLLATE RTRIM, 'a' < 'B';
--> 1|1|0
SELECT substr('hello', 2, 3), substr('hello', -3), upper('é'), length('é'), hex('é');
--> ell|llo|é|1|C3A9
SELECT round(2.5), round(-1.25, 1), abs(-3), coalesce(NULL, 2), nullif(1, 1), typeof(1.0);
--> 3.0|-1.3|3|2||real
