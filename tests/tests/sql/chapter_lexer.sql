-- The lexer: where a token begins and ends, and nothing else.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_lexer.sql
SELECT 'it''s', x'4142', X'43', 0x2a, .5, 1e2, 5.;
--> it's|AB|C|42|0.5|100.0|5.0
-- A comment stands wherever white space may, and inside a text it is text.
SELECT 1/* one */+/* two */2, '-- no comment', '/* nor this */';
--> 3|-- no comment|/* nor this */
-- Three ways to quote a name; a doubled quote stands for one.
CREATE TABLE "a table"([first column], `second`, "it""s");
INSERT INTO [a table] VALUES (1, 2, 3);
SELECT "first column", [second], `it"s` FROM "a table";
--> 1|2|3
-- Keywords are no matter of the lexer: most of them may be names.
CREATE TABLE plan(key, row, größe);
INSERT INTO plan VALUES (1, 2, 3);
SELECT KEY, Row, größe FROM Plan;
--> 1|2|3
-- The longest token wins: `<=` is one, `< =` is two.
SELECT 1<=2, 1<>2, 1!=2, 1==1, 2>=1, 1||2, 4>>1, 1<<3, ~0, 5&3, 5|2;
--> 1|1|1|1|1|12|2|8|-1|1|7
SELECT 1 < = 2;
--! near "=": syntax error
SELECT 12abc;
--! unrecognized token: "12abc"
SELECT x'4';
--! unrecognized token: "x'4'"
SELECT x'4g';
--! unrecognized token: "x'4g'"
SELECT 1 # 2;
--! unrecognized token: "#"
SELECT 0x;
--! unrecognized token: "0x"
SELECT 1e;
--! unrecognized token: "1e"
-- An integer too large for 64 bits is read as a real.
SELECT 9223372036854775807, 9223372036854775808, -9223372036854775808;
--> 9223372036854775807|9.22337203685478e+18|-9223372036854775808
