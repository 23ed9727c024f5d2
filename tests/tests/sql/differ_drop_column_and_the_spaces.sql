-- Which bytes go with a column.
CREATE TABLE t(a , b INT , c /* x, y */ , d TEXT  );
ALTER TABLE t DROP COLUMN d;
SELECT sql FROM sqlite_schema;
ALTER TABLE t ADD COLUMN e;
SELECT sql FROM sqlite_schema;
ALTER TABLE t DROP COLUMN b;
ALTER TABLE t DROP COLUMN e;
ALTER TABLE t DROP COLUMN c;
SELECT sql FROM sqlite_schema;
CREATE TABLE u(a, b , CHECK (a > 0));
ALTER TABLE u DROP COLUMN b;
CREATE TABLE v(a, b, UNIQUE (a));
ALTER TABLE v DROP COLUMN b;
CREATE TABLE w(a, b /* two */ CONSTRAINT n UNIQUE (a));
ALTER TABLE w DROP COLUMN b;
SELECT sql FROM sqlite_schema ORDER BY name;
