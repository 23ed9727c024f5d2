-- https://sqlite.org/lang_createtable.html
CREATE TABLE t1(a, b INTEGER, c TEXT, d);
CREATE TABLE IF NOT EXISTS t1(x);
CREATE TABLE t1(x);
CREATE TABLE main.t2(x);
CREATE TABLE sqlite_mine(x);
CREATE TABLE twice(x, X);
-- CREATE TABLE AS: the columns' types are the affinities' names.
CREATE TABLE source(a VARCHAR(10), b BIGINT, c DOUBLE, d DECIMAL(10,5), e BLOB, f);
CREATE TABLE made AS SELECT *, a || b AS g, 1 AS h, count(*) AS i FROM source;
SELECT sql FROM sqlite_schema WHERE name = 'made';
PRAGMA table_info(made);
SELECT count(*) FROM made;
-- DEFAULT: a constant, a signed number, an expression in brackets.
CREATE TABLE defaults(id INTEGER PRIMARY KEY, a DEFAULT NULL, b DEFAULT 'text', c DEFAULT x'4142', d DEFAULT 1.5, e DEFAULT -3, f DEFAULT +4, g DEFAULT (1 + 2 * 3), h DEFAULT TRUE, i);
INSERT INTO defaults DEFAULT VALUES;
INSERT INTO defaults(i) VALUES (9);
SELECT * FROM defaults;
SELECT typeof(a), typeof(c), typeof(d), typeof(e), typeof(g), typeof(h) FROM defaults LIMIT 1;
CREATE TABLE bad(a DEFAULT (b), b);
-- COLLATE: how a column compares and sorts.
CREATE TABLE words(a COLLATE BINARY, b COLLATE NOCASE, c COLLATE RTRIM);
INSERT INTO words VALUES ('x', 'x', 'x'), ('X', 'X', 'x ');
SELECT count(*), a = 'x', b = 'X', c = 'x  ' FROM words GROUP BY b;
SELECT a FROM words ORDER BY a;
CREATE TABLE bad(a COLLATE nobody);
-- PRIMARY KEY: one for each table; NULLs are let in, unless it is the rowid.
CREATE TABLE two(a PRIMARY KEY, b PRIMARY KEY);
CREATE TABLE keyed(a TEXT, b TEXT, c, PRIMARY KEY(a, b));
INSERT INTO keyed VALUES ('x', 'y', 1), ('x', 'z', 2), (NULL, 'y', 3), (NULL, 'y', 4);
INSERT INTO keyed VALUES ('x', 'y', 5);
SELECT * FROM keyed ORDER BY c;
PRAGMA index_list(keyed);
-- UNIQUE: as often as one likes; NULLs are distinct.
CREATE TABLE unique_one(a UNIQUE, b, c, UNIQUE(b, c), UNIQUE(a));
INSERT INTO unique_one VALUES (NULL, 1, 1), (NULL, 1, NULL), (NULL, 1, NULL), (2, 2, 2);
INSERT INTO unique_one VALUES (2, 3, 3);
INSERT INTO unique_one VALUES (3, 2, 2);
SELECT count(*) FROM unique_one;
SELECT name FROM sqlite_schema WHERE tbl_name = 'unique_one' ORDER BY name;
-- CHECK: 0 and 0.0 refuse the row, NULL does not.
CREATE TABLE checked(a CHECK (a > 0), b, CONSTRAINT sum_small CHECK (a + b < 10));
INSERT INTO checked VALUES (1, 1), (NULL, 100);
INSERT INTO checked VALUES (0, 1);
INSERT INTO checked VALUES (5, 6);
UPDATE checked SET b = 9.5;
SELECT * FROM checked;
CREATE TABLE bad(a CHECK (a IN (SELECT 1)));
-- NOT NULL, and what each kind of conflict does.
CREATE TABLE strictly(a NOT NULL, b NOT NULL DEFAULT 'b', c NOT NULL ON CONFLICT IGNORE, d UNIQUE ON CONFLICT REPLACE);
INSERT INTO strictly VALUES (NULL, 1, 1, 1);
INSERT INTO strictly(a, c, d) VALUES (1, 1, 1);
INSERT INTO strictly VALUES (2, 2, NULL, 2);
INSERT INTO strictly VALUES (3, 3, 3, 1);
INSERT INTO strictly(a, c) VALUES (4, NULL);
SELECT * FROM strictly;
-- The rowid and its names; INTEGER PRIMARY KEY is one more of them.
CREATE TABLE r1(x INTEGER PRIMARY KEY ASC, y, z);
CREATE TABLE r2(x INTEGER, y, z, PRIMARY KEY(x ASC));
CREATE TABLE r3(x INTEGER, y, z, PRIMARY KEY(x DESC));
CREATE TABLE r4(x INTEGER PRIMARY KEY DESC, y, z);
CREATE TABLE r5(x INT PRIMARY KEY, y, z);
INSERT INTO r1(y) VALUES ('a');
INSERT INTO r2(y) VALUES ('a');
INSERT INTO r3(y) VALUES ('a');
INSERT INTO r4(y) VALUES ('a');
INSERT INTO r5(y) VALUES ('a');
SELECT rowid, oid, _rowid_, x FROM r1;
SELECT rowid, x FROM r2;
SELECT rowid, x FROM r3;
SELECT rowid, x FROM r4;
SELECT rowid, x FROM r5;
INSERT INTO r1(rowid, y) VALUES (7, 'b');
UPDATE r1 SET rowid = 8 WHERE x = 7;
SELECT * FROM r1;
INSERT INTO r1 VALUES ('9', 1, 1), (10.0, 1, 1);
INSERT INTO r1 VALUES ('eleven', 1, 1);
INSERT INTO r1 VALUES (1.5, 1, 1);
INSERT INTO r1 VALUES (8, 1, 1);
SELECT x, typeof(x) FROM r1;
CREATE TABLE hidden(rowid, a);
INSERT INTO hidden VALUES ('mine', 1);
SELECT rowid, oid FROM hidden;
-- AUTOINCREMENT never gives a number again.
CREATE TABLE auto(id INTEGER PRIMARY KEY AUTOINCREMENT, a);
INSERT INTO auto(a) VALUES (1), (2), (3);
DELETE FROM auto;
INSERT INTO auto(a) VALUES (4);
SELECT * FROM auto;
SELECT * FROM sqlite_sequence;
CREATE TABLE bad(id INT PRIMARY KEY AUTOINCREMENT);
DROP TABLE auto;
SELECT * FROM sqlite_sequence;
DROP TABLE auto;
DROP TABLE IF EXISTS auto;
PRAGMA integrity_check;
