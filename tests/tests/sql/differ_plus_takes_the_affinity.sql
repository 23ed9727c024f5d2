-- +x has no affinity, so it is no number beside a text; and no index is asked for it.
CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b TEXT);
CREATE INDEX t_a ON t(a);
CREATE INDEX t_b ON t(b);
INSERT INTO t VALUES (1, 1, '1'), (2, 2, '2'), (3, 3, '3');
SELECT id FROM t WHERE +id = '1' OR id = '2';
SELECT id FROM t WHERE +id IN ('1', 2, '3');
SELECT id FROM t WHERE +id < '2';
SELECT id FROM t WHERE +id > '2';
SELECT id FROM t WHERE +rowid = '1';
SELECT id FROM t WHERE +a = '1';
SELECT id FROM t WHERE +a BETWEEN '1' AND '2';
SELECT id FROM t WHERE +b = 1;
SELECT id FROM t WHERE +b IN (1, '2') ORDER BY +id DESC;
SELECT x.id FROM t x JOIN t y ON +x.id = y.b ORDER BY 1;
SELECT x.id FROM t x JOIN t y ON x.id = +y.b ORDER BY 1;
SELECT +a, count(*) FROM t GROUP BY +a ORDER BY +a;
SELECT max(+a), min(+id) FROM t;
