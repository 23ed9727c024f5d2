-- https://sqlite.org/lang_expr.html, https://sqlite.org/datatype3.html
SELECT 1 + 2 * 3 - 4 / 2 % 3, 'a' || 'b' || 1, 7 & 3 | 8, 1 << 2 + 1, ~5, -(-5), +'7';
SELECT 5 / 2, 5 / 2.0, -5 / 2, -5 % 3, 5 % -3, 5.5 % 2, 1 / 0, 1 % 0, 1.0 / 0;
SELECT 1 << 63, 1 << 64, -1 >> 70, 1 << -1, 4 >> -1;
SELECT 9223372036854775807 + 1, -9223372036854775808 - 1, 9223372036854775807 * 2, -9223372036854775808 / -1;
SELECT '3' + '4', '3x' * 2, 'x' + 1, x'33' + 1, ' 7 ' + 0, '1e2' + 0, '0x10' + 0;
SELECT 1 = 1.0, '1' = 1, 1 < 'a', 'a' < x'00', NULL < 1, 1e3 = 1000;
SELECT 1 == 1, 1 <> 2, 1 != 1, 2 >= 2, 'abc' < 'abd';
SELECT NULL IS NULL, 1 IS NULL, NULL IS NOT NULL, 1 IS 1, 1 IS NOT 2, NULL ISNULL, 1 NOTNULL, 1 NOT NULL;
SELECT 1 IS DISTINCT FROM 2, NULL IS NOT DISTINCT FROM NULL;
SELECT 1 IS TRUE, 0 IS FALSE, NULL IS TRUE, 5 IS NOT FALSE, TRUE, FALSE + 1;
SELECT NOT 1, NOT 0, NOT NULL, NULL AND 0, NULL AND 1, NULL OR 1, NULL OR 0, 0.5 AND 1, 'x' OR 0, '1x' AND 1;
-- Literals.
SELECT 0xff, 0XFF, 1e3, 1E-2, .5, 5., x'c3a9', 'it''s', 9223372036854775808;
-- LIKE, GLOB, ESCAPE.
SELECT 'abc' LIKE 'ABC', 'abc' LIKE 'a%', 'abc' LIKE '_b_', 'abc' LIKE 'b', 'Ä' LIKE 'ä', NULL LIKE 'a', 'a' LIKE NULL;
SELECT '10%' LIKE '10\%' ESCAPE '\', '10x' LIKE '10\%' ESCAPE '\', 'a_c' LIKE 'a!_c' ESCAPE '!', 'abc' NOT LIKE 'a%', 12 LIKE '1_';
SELECT 'a' LIKE 'a' ESCAPE 'xy';
SELECT 'abc' GLOB 'a*', 'abc' GLOB 'A*', 'abc' GLOB '?b?', 'abc' GLOB '[a-c]*', 'abc' GLOB '[^a]*', 'a]' GLOB 'a[]]', 'abc' NOT GLOB '*d';
-- BETWEEN, IN.
SELECT 5 BETWEEN 1 AND 5, 5 NOT BETWEEN 1 AND 5, NULL BETWEEN 1 AND 2, 0 BETWEEN NULL AND -1;
SELECT 1 IN (1, 2), 3 IN (1, NULL), 3 NOT IN (1, NULL), NULL IN (1), 1 IN (), NULL IN (), NULL NOT IN ();
SELECT 2 IN (SELECT 1 UNION SELECT 2), '2' IN (1, 2), 2 IN ('1', '2');
-- Row values.
SELECT (1, 2) = (1, 2), (1, 2) <> (1, 3), (1, NULL) = (2, NULL), (1, NULL) = (1, 2), (1, 2) IS (1, 2);
SELECT (1, 2) = (1, 2, 3);
SELECT (1, 2);
-- CASE.
SELECT CASE 1 WHEN 1 THEN 'a' WHEN 1 THEN 'b' END, CASE NULL WHEN NULL THEN 1 ELSE 2 END, CASE WHEN NULL THEN 1 END, CASE WHEN 0 THEN 1 ELSE 'e' END;
-- CAST.
SELECT CAST(1.9 AS INTEGER), CAST(-1.9 AS INTEGER), CAST('12abc' AS INTEGER), CAST('x' AS INTEGER), CAST('1.5e3x' AS REAL), CAST(5 AS REAL), CAST(5 AS TEXT) || '', CAST(x'4142' AS TEXT), typeof(CAST('a' AS BLOB)), CAST('1.0' AS NUMERIC), CAST('1.5' AS NUMERIC), CAST(NULL AS INTEGER), CAST(1e30 AS INTEGER);
SELECT typeof(CAST(1 AS VARCHAR(10))), typeof(CAST('1' AS DECIMAL)), typeof(CAST(1 AS DOUBLE)), typeof(CAST('9223372036854775808' AS NUMERIC));
-- COLLATE.
SELECT 'a' = 'A' COLLATE NOCASE, 'a' COLLATE NOCASE = 'A', 'a ' = 'a' COLLATE RTRIM, 'a' = 'A';
SELECT 'a' COLLATE nobody = 'a';
-- Subqueries.
SELECT (SELECT 1), (SELECT 1 WHERE 0), (SELECT 1 UNION ALL SELECT 2), EXISTS (SELECT NULL), NOT EXISTS (SELECT 1 WHERE 0);
SELECT (SELECT 1, 2);
-- The example of datatype3, section 3.4: affinity on storing.
CREATE TABLE t1(t TEXT, nu NUMERIC, i INTEGER, r REAL, no BLOB);
INSERT INTO t1 VALUES('500.0', '500.0', '500.0', '500.0', '500.0');
SELECT typeof(t), typeof(nu), typeof(i), typeof(r), typeof(no) FROM t1;
DELETE FROM t1;
INSERT INTO t1 VALUES(500.0, 500.0, 500.0, 500.0, 500.0);
SELECT typeof(t), typeof(nu), typeof(i), typeof(r), typeof(no) FROM t1;
DELETE FROM t1;
INSERT INTO t1 VALUES(500, 500, 500, 500, 500);
SELECT typeof(t), typeof(nu), typeof(i), typeof(r), typeof(no) FROM t1;
DELETE FROM t1;
INSERT INTO t1 VALUES(x'0500', x'0500', x'0500', x'0500', x'0500');
SELECT typeof(t), typeof(nu), typeof(i), typeof(r), typeof(no) FROM t1;
DELETE FROM t1;
INSERT INTO t1 VALUES(NULL,NULL,NULL,NULL,NULL);
SELECT typeof(t), typeof(nu), typeof(i), typeof(r), typeof(no) FROM t1;
-- Section 4.3: affinity on comparing.
CREATE TABLE t2(a TEXT, b NUMERIC, c BLOB, d);
INSERT INTO t2 VALUES('500', '500', '500', 500);
SELECT typeof(a), typeof(b), typeof(c), typeof(d) FROM t2;
SELECT a < 40, a < 60, a < 600 FROM t2;
SELECT a < '40', a < '60', a < '600' FROM t2;
SELECT b < 40, b < 60, b < 600 FROM t2;
SELECT b < '40', b < '60', b < '600' FROM t2;
SELECT c < 40, c < 60, c < 600 FROM t2;
SELECT c < '40', c < '60', c < '600' FROM t2;
SELECT d < 40, d < 60, d < 600 FROM t2;
SELECT d < '40', d < '60', d < '600' FROM t2;
-- Section 7.1: collations of columns.
CREATE TABLE t3(x INTEGER PRIMARY KEY, a, b COLLATE BINARY, c COLLATE RTRIM, d COLLATE NOCASE);
INSERT INTO t3 VALUES(1,'abc','abc', 'abc  ','abc');
INSERT INTO t3 VALUES(2,'abc','abc', 'abc',  'ABC');
INSERT INTO t3 VALUES(3,'abc','abc', 'abc ', 'Abc');
INSERT INTO t3 VALUES(4,'abc','abc ','ABC',  'abc');
SELECT x FROM t3 WHERE a = b ORDER BY x;
SELECT x FROM t3 WHERE a = b COLLATE RTRIM ORDER BY x;
SELECT x FROM t3 WHERE d = a ORDER BY x;
SELECT x FROM t3 WHERE a = d ORDER BY x;
SELECT x FROM t3 WHERE 'abc' = c ORDER BY x;
SELECT x FROM t3 WHERE c = 'abc' ORDER BY x;
SELECT count(*) FROM t3 GROUP BY d ORDER BY 1;
SELECT count(*) FROM t3 GROUP BY (d || '') ORDER BY 1;
SELECT x FROM t3 ORDER BY c, x;
SELECT x FROM t3 ORDER BY (c||''), x;
SELECT x FROM t3 ORDER BY c COLLATE NOCASE, x;
