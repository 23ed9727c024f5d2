-- The schema: text that is stored, edited and read back.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_schema.sql
CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b TEXT DEFAULT 'x' , CHECK (b <> ''));
CREATE UNIQUE INDEX t_b ON t(b DESC);
INSERT INTO t(b) VALUES ('one'), ('two');
ALTER TABLE t RENAME COLUMN b TO word;
ALTER TABLE t ADD COLUMN n REAL NOT NULL DEFAULT 1;
ALTER TABLE t RENAME TO "my words";
SELECT sql FROM sqlite_schema;
--> CREATE TABLE "my words"(a INTEGER PRIMARY KEY, word TEXT DEFAULT 'x' , n REAL NOT NULL DEFAULT 1, CHECK (word <> ''))
--> CREATE UNIQUE INDEX t_b ON "my words"(word DESC)
SELECT * FROM "my words";
--> 1|one|1.0
--> 2|two|1.0
PRAGMA table_info("my words");
--> 0|a|INTEGER|0||1
--> 1|word|TEXT|0|'x'|0
--> 2|n|REAL|1|1|0
ALTER TABLE "my words" DROP COLUMN n;
ALTER TABLE "my words" DROP COLUMN a;
--! cannot drop PRIMARY KEY column: "a"
CREATE TABLE copy AS SELECT word, length(word) AS letters FROM "my words";
SELECT sql FROM sqlite_schema WHERE name = 'copy';
--> CREATE TABLE copy(word TEXT,letters)
DROP TABLE "my words";
SELECT name FROM sqlite_schema;
--> copy
PRAGMA user_version = 7;
PRAGMA user_version;
--> 7
PRAGMA integrity_check;
--> ok
CREATE TABLE copy(x);
--! table copy already exists
SELECT * FORM copy;
--! near "FORM": syntax error
