-- NATURAL holds for a table in parentheses, too.
CREATE TABLE a(x, p);
CREATE TABLE b(x, q);
INSERT INTO a VALUES (1, 1), (2, 2);
INSERT INTO b VALUES (1, 10), (3, 30);
SELECT * FROM a NATURAL JOIN (b);
SELECT * FROM a NATURAL LEFT JOIN ((b));
