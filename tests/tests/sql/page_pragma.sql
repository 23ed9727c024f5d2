-- https://sqlite.org/pragma.html: those that this engine has
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x', c VARCHAR(10) UNIQUE, UNIQUE(b, c));
CREATE INDEX t_b ON t(b, a);
CREATE TABLE keys(a, b, c, PRIMARY KEY(c, a));
PRAGMA table_info(t);
PRAGMA table_info('keys');
PRAGMA table_info = t;
PRAGMA table_info(nobody);
PRAGMA index_list(t);
PRAGMA index_list(keys);
PRAGMA index_info(t_b);
PRAGMA index_info(sqlite_autoindex_keys_1);
PRAGMA index_info(nobody);
.headers on
PRAGMA table_info(t);
PRAGMA index_list(t);
.headers off
PRAGMA user_version;
PRAGMA user_version = 42;
PRAGMA main.user_version;
PRAGMA user_version(-7);
PRAGMA user_version;
PRAGMA schema_version;
PRAGMA encoding;
PRAGMA foreign_keys;
PRAGMA page_size;
PRAGMA page_count;
PRAGMA integrity_check;
PRAGMA quick_check;
