-- The last digit of a real that lies half-way between two.
SELECT 10000000000317.25, 10000000000317.75, 0.5 + 10000000000000.0 / 8, 1.5 || '', -10000000000317.25;
