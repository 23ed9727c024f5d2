-- A database that has no page yet has an empty schema to ask.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_empty.sql
SELECT count(*) FROM sqlite_master;
--> 0
SELECT name FROM sqlite_master WHERE name = 'x';
SELECT name FROM sqlite_master WHERE rowid = 1;
SELECT max(rowid) IS NULL FROM sqlite_schema;
--> 1
SELECT name FROM sqlite_schema ORDER BY rowid DESC;
PRAGMA integrity_check;
--> ok
