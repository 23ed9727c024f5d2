-- A COLLATE among the arguments of a call, or in a CASE, holds for the whole.
SELECT nullif('A' COLLATE NOCASE, 'x') = 'a', 'a' = upper('a' COLLATE NOCASE), coalesce('A', 'b' COLLATE NOCASE) = 'a';
SELECT nullif(2.5 || ('A' COLLATE NOCASE), 'x') = '2.5a', min('A' COLLATE NOCASE, 'b') = 'a', iif(1, 'A' COLLATE NOCASE, 1) = 'a';
SELECT likely('A' COLLATE NOCASE) = 'a', nullif('A' COLLATE NOCASE, 'x') IN ('a'), (SELECT 'A' COLLATE NOCASE) = 'a';
SELECT CASE WHEN 1 THEN 'A' COLLATE NOCASE END = 'a', CASE 'A' COLLATE NOCASE WHEN 'a' THEN 'X' END = 'x';
SELECT CASE 'q' WHEN 'q' THEN 'X' ELSE 'z' COLLATE NOCASE END = 'x', CASE 'q' WHEN 'q' COLLATE BINARY THEN 'X' COLLATE NOCASE END = 'x';
CREATE TABLE t(a, b COLLATE NOCASE);
INSERT INTO t VALUES ('A', 'A'), (x'61', 'a'), ('a', 'a'), ('B', 'b');
SELECT a, typeof(a) FROM t ORDER BY nullif(2.5 || (a COLLATE NOCASE), a), typeof(a), a COLLATE BINARY;
SELECT count(*) FROM t GROUP BY nullif(a COLLATE NOCASE, 1);
SELECT DISTINCT typeof(nullif(a COLLATE NOCASE, 1)) FROM t;
SELECT max(a COLLATE NOCASE) = 'a', 'b' = max(upper(b)), group_concat(b COLLATE NOCASE) = 'a,A,a,B' FROM t;
SELECT b FROM t WHERE upper(b) = 'a' OR upper(b COLLATE NOCASE) = 'b' ORDER BY rowid;
SELECT count(*) FROM t GROUP BY b HAVING max(a COLLATE NOCASE) = 'b';
