-- LIKE, GLOB and their functions agree on what comes first: a blob, an escape, a NULL.
SELECT like('a', x'61'), x'61' LIKE NULL, NULL LIKE x'61', glob(NULL, x'61'), like(x'61', NULL);
SELECT NULL LIKE 'a' ESCAPE NULL, like('a%', 'ab', NULL), 'ab' LIKE NULL ESCAPE '!', like(NULL, 'ab', '!');
SELECT NULL LIKE 'a' ESCAPE 'xx';
SELECT like('a', NULL, 'xx');
SELECT x'61' LIKE 'a' ESCAPE 'xx', like('a', x'61', NULL);
SELECT 12 LIKE '1%', like('1_', 12), glob('1*', 1.5), 1.5 GLOB '1.?', 'A' LIKE 'a', 'A' GLOB 'a';
SELECT hex(x'00ff'), hex('é'), hex(12.5), hex(NULL), hex('');
SELECT 'a!%' LIKE 'a!!!%' ESCAPE '!', 'ab' LIKE 'a!' ESCAPE '!', 'a%' LIKE 'a%%' ESCAPE '%';
