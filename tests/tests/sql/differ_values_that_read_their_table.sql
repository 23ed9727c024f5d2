-- What a query inside VALUES reads does not depend on the rows before it.
CREATE TABLE t(a);
INSERT INTO t VALUES ((SELECT count(*) FROM t)), ((SELECT count(*) FROM t) + 10);
SELECT * FROM t;
INSERT INTO t VALUES (1 + (SELECT max(a) FROM t)), (coalesce((SELECT max(a) FROM t), 0)), (7 IN t), (EXISTS (SELECT 1 FROM t WHERE a = 11));
SELECT * FROM t;
INSERT INTO t SELECT 5 UNION ALL VALUES ((SELECT count(*) FROM t));
SELECT * FROM t;
