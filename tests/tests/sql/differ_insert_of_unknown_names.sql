-- What is wrong with the values is said before how many there are.
CREATE TABLE t(a, b);
INSERT INTO t(a, b) VALUES (x);
INSERT INTO t(a, b) VALUES (1), (2, 3);
INSERT INTO t(a, b) VALUES (1);
INSERT INTO t(a, b) SELECT x, y, z FROM nowhere;
INSERT INTO t(a, b) SELECT 1, 2, 3;
INSERT INTO t VALUES (1, 2, 3);
INSERT INTO t(a, b) SELECT 1, 2 UNION SELECT 3;
INSERT INTO t(a, b) VALUES (abs(1, 2), 3, 4);
