-- a = 'x' under NOCASE leaves 'x' and 'X', which have an order under BINARY.
CREATE TABLE t(a TEXT COLLATE NOCASE, b);
CREATE INDEX t_ab ON t(a, b);
INSERT INTO t VALUES ('x', 2), ('X', 3), ('x', 4), ('X', 1), ('y', 0);
SELECT a, b FROM t WHERE a = 'x' ORDER BY a COLLATE BINARY, b;
SELECT a, b FROM t WHERE a = 'x' ORDER BY a COLLATE BINARY DESC, b;
SELECT a, b FROM t WHERE a = 'x' ORDER BY a, b DESC;
SELECT a, b FROM t WHERE a = 'x' ORDER BY b;
SELECT min(b), a FROM t WHERE a = 'X';
SELECT a FROM t WHERE a = 'x' GROUP BY a COLLATE BINARY ORDER BY a COLLATE BINARY;
