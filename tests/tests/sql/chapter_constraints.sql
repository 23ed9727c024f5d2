-- Constraints: what keeps a row out, and what a statement that fails leaves behind.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_constraints.sql
CREATE TABLE User(Name TEXT PRIMARY KEY, Age INTEGER NOT NULL CHECK (Age >= 0), Mail TEXT UNIQUE);
INSERT INTO User VALUES ('Tom', 18, 't@x'), ('Sam', 25, NULL);
INSERT INTO User VALUES ('Tom', 1, NULL);
--! UNIQUE constraint failed: User.Name
INSERT INTO User VALUES ('Ann', 30, 'a@x'), ('Bob', NULL, NULL);
--! NOT NULL constraint failed: User.Age
INSERT INTO User VALUES ('Bob', -1, NULL);
--! CHECK constraint failed: Age >= 0
SELECT * FROM User ORDER BY Name;
--> Sam|25|
--> Tom|18|t@x
INSERT OR IGNORE INTO User VALUES ('Tom', 1, NULL), ('Bob', 40, NULL);
INSERT OR REPLACE INTO User VALUES ('Zoe', 50, 't@x');
SELECT Name FROM User ORDER BY Name;
--> Bob
--> Sam
--> Zoe
INSERT INTO User VALUES ('Bob', 41, NULL) ON CONFLICT(Name) DO UPDATE SET Age = excluded.Age RETURNING Name, Age;
--> Bob|41
BEGIN;
DELETE FROM User;
SAVEPOINT here;
INSERT INTO User VALUES ('New', 1, NULL);
ROLLBACK TO here;
SELECT count(*) FROM User;
--> 0
ROLLBACK;
SELECT count(*) FROM User;
--> 3
CREATE TABLE seq(id INTEGER PRIMARY KEY AUTOINCREMENT, v DEFAULT 'none');
INSERT INTO seq DEFAULT VALUES;
INSERT INTO seq(id, v) VALUES (10, 'ten');
DELETE FROM seq WHERE id = 10;
INSERT INTO seq(v) VALUES ('after') RETURNING id;
--> 11
SELECT * FROM sqlite_sequence;
--> seq|11
