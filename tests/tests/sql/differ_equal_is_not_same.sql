-- Which of several equal values is shown, and which row stands for a group.
SELECT 1 UNION SELECT 1.0;
SELECT 1.0 EXCEPT SELECT 2;
SELECT min(1, 1.0), max(1, 1.0), min(1.0, 1);
CREATE TABLE l(a, b);
INSERT INTO l VALUES (1, 'x'), (2, 'y'), (3, NULL), (NULL, 'z');
SELECT max(a), min(a), b FROM l;
SELECT min(a), max(a), b FROM l;
SELECT max(a), b FROM l WHERE a IS NULL;
SELECT round(1.005, 2), round(2.675, 2), round(1.45, 1), round(-0.5), round(0.15, 1), round(1e15 + 0.3, 2);
SELECT like('a\%', 'a%', '\'), like('a\%', 'ab', '\');
