-- The parser: which tokens belong together, seen by what comes out.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_parser.sql
-- Precedence: `*` before `+`, `||` before `*`, NOT before AND before OR, `-` to the left.
SELECT 1 + 2 * 3, (1 + 2) * 3, 2 * 3 || 4, 10 - 4 - 3, 100 / 10 / 5;
--> 7|9|68|3|2
SELECT NOT 0 AND 0, NOT (0 AND 0), 1 OR 0 AND 0, (1 OR 0) AND 0;
--> 0|1|1|0
SELECT -2 || 1, - - 3, ~1 + 1, 1 = 1 = 1, 3 > 2 > 1, 1 < 2 = 2 > 1;
--> -21|3|-1|1|0|1
SELECT 5 BETWEEN 1 AND 9 AND 0, 1 + 1 IN (2, 3), 2 NOT IN (1) + 0, 1 IS NOT NULL = 1;
--> 0|1|1|1
SELECT 'a' || 'b' LIKE 'A' || 'B', NULL ISNULL, NULL NOTNULL, 1 IS NOT 2;
--> 1|1|0|1
-- CASE and CAST have their own brackets.
SELECT CASE WHEN 1 THEN CASE 2 WHEN 2 THEN 'in' END ELSE 'out' END || '!', CAST('7' AS INTEGER) + 1;
--> in!|8
-- A subquery stands where a value may, or a table.
SELECT (SELECT 1) + 1, EXISTS (SELECT 1 WHERE 0), 2 IN (SELECT 2 UNION SELECT 3);
--> 2|0|1
SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2) AS numbers WHERE n > 1;
--> 2
-- AS may be left out, and a name may be in quotes.
SELECT x.column1 one, x."column2" "two words" FROM (VALUES (1, 2)) x ORDER BY "two words";
--> 1|2
-- The parser stops at the first token that fits no rule, and names it.
SELECT * FORM copy;
--! near "FORM": syntax error
SELECT (1 + 2;
--! near ";": syntax error
SELECT 1 FROM;
--! near ";": syntax error
SELECT 1 2;
--! near "2": syntax error
CREATE TABLE t(a,);
--! near ")": syntax error
CREATE TABLE select(a);
--! near "select": syntax error
INSERT INTO t VALUES ();
--! near ")": syntax error
SELECT * FROM a JOIN;
--! near ";": syntax error
