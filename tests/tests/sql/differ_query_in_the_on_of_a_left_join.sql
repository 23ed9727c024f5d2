-- A query in the ON of a LEFT JOIN that is not the last join.
CREATE TABLE a(x);
CREATE TABLE b(y);
CREATE TABLE c(z);
INSERT INTO a VALUES (1), (2), (3);
INSERT INTO b VALUES (1), (2);
INSERT INTO c VALUES (1), (2);
SELECT x, y, z FROM a LEFT JOIN b ON EXISTS (SELECT 1 FROM c WHERE z = y AND z = x) LEFT JOIN c ON z = x ORDER BY x, y, z;
SELECT x, y, z FROM a LEFT JOIN b ON x = (SELECT max(z) FROM c WHERE z <= y), c ORDER BY x, y, z;
SELECT x, y, z FROM a LEFT JOIN b ON y = x AND x IN (SELECT z FROM c WHERE z > y - 1) JOIN c ON z = 1 ORDER BY x, y, z;
SELECT x, y, z FROM a LEFT JOIN b ON z = 1 LEFT JOIN c ON z = x;
SELECT x, y, z FROM a LEFT JOIN b ON y = c.rowid, c;
SELECT x, y, z FROM a JOIN b ON z = x JOIN c ON z = y ORDER BY x, y, z;
