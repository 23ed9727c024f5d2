-- Which comments and spaces are stored.
CREATE TABLE /* gone */ t(a /* here */, b TEXT DEFAULT ';') /* gone */   ;
CREATE TABLE u /* here */ AS SELECT 1 AS a /* gone */;
CREATE  UNIQUE /* gone */ INDEX i /* here */ ON t(a) WHERE b <> ';' /* gone */ ;
CREATE VIEW v AS /* here */ SELECT a, ';' AS b FROM t /* gone */;;
SELECT sql FROM sqlite_schema ORDER BY name;
