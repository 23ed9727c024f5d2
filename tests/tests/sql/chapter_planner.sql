-- The planner: what it chooses is shown, and what it chooses is never wrong.
-- Run it: cargo run -p orm --example shell -- :memory: < tests/tests/sql/chapter_planner.sql
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER);
CREATE TABLE pet(owner INTEGER, name TEXT, kind TEXT);
CREATE INDEX pet_owner ON pet(owner);
CREATE INDEX person_age ON person(age);
INSERT INTO person VALUES (1, 'Tom', 18), (2, 'Sam', 25), (3, 'Ann', 17), (4, 'Bob', NULL);
INSERT INTO pet VALUES (1, 'Rex', 'dog'), (1, 'Tweety', 'bird'), (3, 'Tom', 'cat');
SELECT name FROM person WHERE age >= 18 ORDER BY age;
--> Tom
--> Sam
SELECT p.name, count(pet.owner) FROM person p LEFT JOIN pet ON pet.owner = p.id GROUP BY p.name;
--> Ann|1
--> Bob|0
--> Sam|0
--> Tom|2
SELECT p.name, pet.name FROM pet JOIN person p ON p.id = pet.owner WHERE p.name = 'Tom' ORDER BY 2 DESC;
--> Tom|Tweety
--> Tom|Rex
SELECT name FROM person WHERE id IN (3, 1, 1, 9) ORDER BY id DESC;
--> Ann
--> Tom
SELECT min(age), max(age), count(*) FROM person;
--> 17|25|4
SELECT name FROM person WHERE EXISTS (SELECT 1 FROM pet WHERE pet.owner = person.id) ORDER BY name;
--> Ann
--> Tom
SELECT name, (SELECT group_concat(kind) FROM pet WHERE owner = person.id) FROM person WHERE id < 3;
--> Tom|dog,bird
--> Sam|
SELECT kind FROM pet UNION SELECT name FROM person WHERE age IS NULL ORDER BY 1 LIMIT 2;
--> Bob
--> bird
CREATE VIEW adult AS SELECT name, age FROM person WHERE age >= 18;
SELECT * FROM adult ORDER BY age DESC;
--> Sam|25
--> Tom|18
-- An index that has all that is asked for, and less besides than the table, is read in its stead.
SELECT ifnull(age, 'nobody knows') FROM person;
--> nobody knows
--> 17
--> 18
--> 25
SELECT pet.owner, age FROM pet JOIN person ON id = owner WHERE owner <> 1 ORDER BY age + 0;
--> 3|17
-- But an order is an order.
SELECT age FROM person WHERE age > 17 ORDER BY id DESC;
--> 25
--> 18
SELECT min(id), max(id) FROM person;
--> 1|4
