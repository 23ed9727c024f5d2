//! Random SQL that both engines must understand alike.
//!
//! What SQL leaves open is kept out: the order of rows without ORDER BY (the caller sorts), which
//! row of a group a plain column is from, sums of reals that depend on the order. So is what 3.40 gets
//! wrong: NOT IN does not see the NULLs of a falling unique index.

/// Makes a script from a seed.
pub(crate) struct Generator {
    state: u64,
    tables: Vec<Table>,
    made: usize,
    in_transaction: bool,
    savepoints: usize,
}

#[derive(Clone)]
struct Table {
    name: String,
    columns: Vec<String>,
    indexes: Vec<String>,
}

const TYPES: &[&str] = &["INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "", "VARCHAR(9)", "INT"];

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Generator { state, tables: Vec::new(), made: 0, in_transaction: false, savepoints: 0 }
    }

    /// So many statements, each on one line.
    pub(crate) fn script(&mut self, length: usize) -> Vec<String> {
        let mut script = vec![self.create_table(), self.create_table()];
        for _ in 0..6 {
            script.push(self.insert());
        }
        while script.len() < length {
            let statement = match self.below(40) {
                0 => self.create_table(),
                1 => self.create_index(),
                2 => self.drop(),
                3 => self.alter(),
                4..=6 => self.transaction(),
                7..=13 => self.insert(),
                14..=16 => self.update(),
                17 => self.delete(),
                18..=20 => self.aggregate(),
                21..=22 => self.compound(),
                23 => self.upsert(),
                24 => self.broken(),
                _ => self.select(),
            };
            script.push(statement);
        }
        if self.in_transaction {
            script.push("COMMIT".to_owned());
        }
        script
    }

    fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 20).unwrap_or(0) % n
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn table(&mut self) -> Table {
        let at = self.below(self.tables.len());
        self.tables[at].clone()
    }

    fn column(&mut self, table: &Table) -> String {
        table.columns[self.below(table.columns.len())].clone()
    }

    // ---- schema ----

    fn create_table(&mut self) -> String {
        if self.tables.len() > 4 {
            return self.create_index();
        }
        self.made += 1;
        let name = format!("t{}", self.made);
        let count = 2 + self.below(3);
        let columns: Vec<String> =
            ["a", "b", "c", "d"][..count].iter().map(|&c| c.to_owned()).collect();
        let mut defs = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let mut def = format!("{column} {}", self.one(TYPES));
            if at == 0 && self.chance(50) {
                def = format!(
                    "{column} {}",
                    self.one(&[
                        "INTEGER PRIMARY KEY",
                        "TEXT PRIMARY KEY",
                        "INTEGER PRIMARY KEY AUTOINCREMENT"
                    ])
                );
            } else {
                def += self.one(&[
                    "",
                    "",
                    "",
                    " NOT NULL",
                    " UNIQUE",
                    " DEFAULT 7",
                    " DEFAULT 'x'",
                    " DEFAULT (1+1)",
                ]);
                def += self.one(&["", "", "", " COLLATE NOCASE", ""]);
                if self.chance(10) {
                    def += &format!(" CHECK ({column} <> 3)");
                }
            }
            defs.push(def);
        }
        if self.chance(15) {
            defs.push("UNIQUE (a, b)".to_owned());
        }
        self.tables.push(Table { name: name.clone(), columns, indexes: Vec::new() });
        let maybe = self.one(&["", "", "IF NOT EXISTS "]);
        format!("CREATE TABLE {maybe}{name}({})", defs.join(", "))
    }

    fn create_index(&mut self) -> String {
        let at = self.below(self.tables.len());
        self.made += 1;
        let name = format!("i{}", self.made);
        let table = self.tables[at].clone();
        let mut keys = Vec::new();
        for _ in 0..=self.below(2) {
            let key = self.column(&table);
            if !keys.iter().any(|known: &String| known.starts_with(&key)) {
                keys.push(key + self.one(&["", "", " DESC", " COLLATE NOCASE"]));
            }
        }
        let unique = self.one(&["", "", "", "UNIQUE "]);
        let filter = if self.chance(10) { " WHERE a IS NOT NULL" } else { "" };
        self.tables[at].indexes.push(name.clone());
        format!("CREATE {unique}INDEX {name} ON {}({}){filter}", table.name, keys.join(", "))
    }

    fn drop(&mut self) -> String {
        let at = self.below(self.tables.len());
        if let Some(index) = self.tables[at].indexes.pop() {
            return format!("DROP INDEX {index}");
        }
        if self.tables.len() > 2 && !self.in_transaction {
            let table = self.tables.remove(at);
            return format!("DROP TABLE {}", table.name);
        }
        "DROP TABLE IF EXISTS nothing".to_owned()
    }

    fn alter(&mut self) -> String {
        if self.in_transaction {
            return self.select();
        }
        let at = self.below(self.tables.len());
        self.made += 1;
        let new = format!("n{}", self.made);
        let name = self.tables[at].name.clone();
        match self.below(4) {
            0 => {
                self.tables[at].columns.push(new.clone());
                let rest = self.one(&[
                    "",
                    " INTEGER DEFAULT 5",
                    " TEXT NOT NULL DEFAULT 'q'",
                    " REAL DEFAULT 2",
                ]);
                format!("ALTER TABLE {name} ADD COLUMN {new}{rest}")
            }
            1 => {
                let column = self.below(self.tables[at].columns.len());
                let old = std::mem::replace(&mut self.tables[at].columns[column], new.clone());
                format!("ALTER TABLE {name} RENAME COLUMN {old} TO {new}")
            }
            2 => {
                self.tables[at].name.clone_from(&new);
                format!("ALTER TABLE {name} RENAME TO {new}")
            }
            _ => {
                // Only a column that nothing depends on: one that was added.
                let added = self.tables[at].columns.iter().rposition(|c| c.starts_with('n'));
                match added.filter(|_| self.tables[at].indexes.is_empty()) {
                    Some(column) if column >= 2 => {
                        let old = self.tables[at].columns.remove(column);
                        // It may be an old one with a new name, and then both refuse alike.
                        self.tables[at].columns.retain(|c| *c != old);
                        let sql = format!("ALTER TABLE {name} DROP COLUMN {old}");
                        self.tables[at].columns.insert(column, "a".to_owned());
                        self.tables[at].columns.remove(column);
                        sql
                    }
                    _ => self.select(),
                }
            }
        }
    }

    fn transaction(&mut self) -> String {
        if !self.in_transaction {
            self.in_transaction = true;
            self.savepoints = 0;
            return self.one(&["BEGIN", "BEGIN IMMEDIATE"]).to_owned();
        }
        match self.below(6) {
            0 | 1 => {
                self.savepoints += 1;
                "SAVEPOINT s".to_owned()
            }
            2 if self.savepoints > 0 => "ROLLBACK TO s".to_owned(),
            3 if self.savepoints > 0 => {
                self.savepoints -= 1;
                "RELEASE s".to_owned()
            }
            _ => {
                // Indexes made since BEGIN may be gone: whoever names one gets the same error.
                self.in_transaction = false;
                self.one(&["COMMIT", "COMMIT", "ROLLBACK"]).to_owned()
            }
        }
    }

    // ---- changes ----

    fn insert(&mut self) -> String {
        let table = self.table();
        let or = self.one(&["", "", "", "", " OR IGNORE", " OR REPLACE", " OR ABORT"]);
        if self.chance(5) {
            return format!("INSERT{or} INTO {} DEFAULT VALUES", table.name);
        }
        let columns: Vec<String> =
            table.columns.iter().filter(|_| self.chance(85)).cloned().collect();
        let columns = if columns.is_empty() { table.columns.clone() } else { columns };
        let list = columns.join(", ");
        if self.chance(10) {
            let from = self.table();
            let values: Vec<String> = columns.iter().map(|_| self.column(&from)).collect();
            return format!(
                "INSERT INTO {}({list}) SELECT {} FROM {} ORDER BY rowid LIMIT 5",
                table.name,
                values.join(", "),
                from.name
            );
        }
        let mut rows = Vec::new();
        // With OR, sqlite3 keeps the rows before one with a value that is no rowid: one row, then.
        let most = if or.is_empty() { 4 } else { 1 };
        for _ in 0..=self.below(most) {
            let values: Vec<String> = columns.iter().map(|_| self.literal()).collect();
            rows.push(format!("({})", values.join(", ")));
        }
        format!("INSERT{or} INTO {}({list}) VALUES {}", table.name, rows.join(", "))
    }

    fn upsert(&mut self) -> String {
        let table = self.table();
        let values: Vec<String> = table.columns.iter().map(|_| self.literal()).collect();
        let (target, column) = (table.columns[0].clone(), table.columns[1].clone());
        let action = if self.chance(50) {
            "DO NOTHING".to_owned()
        } else {
            format!("DO UPDATE SET {column} = excluded.{column}")
        };
        let list = table.columns.join(", ");
        let name = &table.name;
        format!(
            "INSERT INTO {name}({list}) VALUES ({}) ON CONFLICT({target}) {action}",
            values.join(", ")
        )
    }

    fn update(&mut self) -> String {
        let table = self.table();
        let or = self.one(&["", "", "", " OR IGNORE", " OR REPLACE"]);
        let column = self.column(&table);
        let value = match self.below(4) {
            0 => format!("{column} + 1"),
            1 => self.column(&table),
            _ => self.literal(),
        };
        // Which of several rows meets a conflict first depends on the order: one row is enough.
        let key = self.number();
        let filter = self.condition(&[("", &table)], 1);
        let only = format!("rowid = (SELECT max(rowid) FROM {} WHERE rowid <= {key})", table.name);
        let filter = if self.chance(60) { only } else { format!("{only} AND {filter}") };
        format!("UPDATE{or} {} SET {column} = {value} WHERE {filter}", table.name)
    }

    fn delete(&mut self) -> String {
        let table = self.table();
        if self.chance(5) {
            return format!("DELETE FROM {}", table.name);
        }
        let filter = self.condition(&[("", &table)], 2);
        format!("DELETE FROM {} WHERE {filter}", table.name)
    }

    // ---- queries ----

    fn select(&mut self) -> String {
        let (left, right) = (self.table(), self.table());
        let mut tables = vec![("x.", &left)];
        let mut from = format!("{} x", left.name);
        if self.chance(35) {
            let kind = self.one(&[", ", " JOIN ", " LEFT JOIN ", " CROSS JOIN "]);
            tables.push(("y.", &right));
            from += &format!("{kind}{} y", right.name);
            if kind != ", " {
                let (a, b) = (self.column(&left), self.column(&right));
                let op = self.one(&["=", "=", "=", "<", "IS"]);
                from += &format!(" ON x.{a} {op} y.{b}");
            }
        }
        let count = 1 + self.below(3);
        let outputs: Vec<String> = (0..count).map(|_| self.expr(&tables, 2)).collect();
        let distinct = self.one(&["", "", "", "DISTINCT "]);
        let filter = if self.chance(80) {
            format!(" WHERE {}", self.condition(&tables, 3))
        } else {
            String::new()
        };
        let mut sql = format!("SELECT {distinct}{} FROM {from}{filter}", outputs.join(", "));
        if self.chance(40) && distinct.is_empty() {
            let mut keys: Vec<String> = Vec::new();
            let column = self.column(&left);
            keys.push(format!("x.{column}{}", self.one(&["", " DESC", " NULLS LAST", " ASC"])));
            keys.extend((1..=count).map(|at| format!("{at} COLLATE BINARY")));
            keys.extend(outputs.iter().map(|output| format!("typeof({output})")));
            sql += &format!(" ORDER BY {}", keys.join(", "));
            if self.chance(50) {
                sql += &format!(" LIMIT {}", self.below(6));
                if self.chance(40) {
                    sql += &format!(" OFFSET {}", self.below(4));
                }
            }
        }
        sql
    }

    fn aggregate(&mut self) -> String {
        let table = self.table();
        let (a, b) = (self.column(&table), self.column(&table));
        let call = match self.below(7) {
            0 => "count(*)".to_owned(),
            1 => format!("count({b})"),
            2 => format!("count(DISTINCT {b} COLLATE BINARY)"),
            3 => format!("min({b}), max({b})"),
            4 => format!("sum(CAST({b} AS INTEGER) % 1000)"),
            5 => format!("total(CAST({b} AS INTEGER) % 1000), avg(CAST({b} AS INTEGER) % 1000)"),
            _ => format!("max({b})"),
        };
        let filter = if self.chance(50) {
            format!(" WHERE {}", self.condition(&[("", &table)], 2))
        } else {
            String::new()
        };
        let name = &table.name;
        match self.below(3) {
            0 => format!("SELECT {call} FROM {name}{filter}"),
            1 => format!("SELECT typeof({a}), {call} FROM {name}{filter} GROUP BY typeof({a})"),
            _ => format!(
                "SELECT length({a}), {call} FROM {name}{filter} GROUP BY length({a}) HAVING count(*) > {}",
                self.below(3)
            ),
        }
    }

    fn compound(&mut self) -> String {
        let (left, right) = (self.table(), self.table());
        let op = self.one(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
        let (a, b) = (self.column(&left), self.column(&right));
        format!(
            "SELECT typeof({a}), length({a}) FROM {} {op} SELECT typeof({b}), length({b}) FROM {}",
            left.name, right.name
        )
    }

    fn broken(&mut self) -> String {
        let table = self.table().name;
        let broken = [
            format!("SELECT * FORM {table}"),
            format!("SELECT nothing FROM {table}"),
            "SELECT * FROM nothing".to_owned(),
            format!("INSERT INTO {table}(nothing) VALUES (1)"),
            format!("SELECT count(*, 1) FROM {table}"),
            format!("SELECT abs() FROM {table}"),
            format!("SELECT nofunction(1) FROM {table}"),
            format!("CREATE TABLE {table}(x)"),
            format!("SELECT 1 FROM {table} ORDER BY 2"),
            format!("SELECT 1 FROM {table} GROUP BY 2"),
            format!("SELECT * FROM {table} WHERE count(*) > 1"),
            format!("INSERT INTO {table} VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9)"),
            "DROP INDEX nothing".to_owned(),
            "RELEASE nothing".to_owned(),
            "SELECT 1 UNION SELECT 1, 2".to_owned(),
            "SELECT (SELECT 1, 2)".to_owned(),
            "UPDATE nothing SET a = 1".to_owned(),
            format!("UPDATE {table} SET nothing = 1"),
            "CREATE TABLE sqlite_x(a)".to_owned(),
            "CREATE TABLE u(a, A)".to_owned(),
            "CREATE TABLE u(a PRIMARY KEY, b PRIMARY KEY)".to_owned(),
        ];
        broken[self.below(broken.len())].clone()
    }

    // ---- expressions ----

    fn number(&mut self) -> String {
        self.one(&["0", "1", "2", "3", "4", "5", "7", "10", "-1", "100"]).to_owned()
    }

    fn literal(&mut self) -> String {
        match self.below(10) {
            0 => "NULL".to_owned(),
            1..=4 => self.number(),
            5 => self.one(&["0.5", "1.5", "-2.5", "10.25", "3.0"]).to_owned(),
            6 => self.one(&["'1'", "'10'", "'1.5'", "' 2 '", "'1e1'", "''"]).to_owned(),
            7 | 8 => self.one(&["'a'", "'A'", "'abc'", "'B'", "'x y'", "'%'"]).to_owned(),
            _ => self
                .one(&["x'61'", "x''", "x'6162'", "4611686018427387904", "1000000000000"])
                .to_owned(),
        }
    }

    fn operand(&mut self, tables: &[(&str, &Table)]) -> String {
        if self.chance(60) {
            let (alias, table) = tables[self.below(tables.len())];
            return format!("{alias}{}", self.column(table));
        }
        self.literal()
    }

    fn expr(&mut self, tables: &[(&str, &Table)], depth: usize) -> String {
        if depth == 0 || self.chance(35) {
            return self.operand(tables);
        }
        let (a, b) = (self.expr(tables, depth - 1), self.expr(tables, depth - 1));
        match self.below(14) {
            0 => format!("({a} + {b})"),
            1 => format!("({a} - {b})"),
            2 => format!("({a} || {b})"),
            3 => format!("(- {a})"),
            4 => format!("({a} & {b})"),
            5 => format!("CASE WHEN {} THEN {a} ELSE {b} END", self.condition(tables, depth - 1)),
            6 => format!(
                "CAST({a} AS {})",
                self.one(&["INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB"])
            ),
            7 => format!("coalesce({a}, {b})"),
            8 => format!("nullif({a}, {b})"),
            9 => format!(
                "{}({a})",
                self.one(&["length", "typeof", "upper", "lower", "hex", "abs", "trim", "quote"])
            ),
            10 => format!("substr({a}, {})", self.one(&["1", "2", "-1, 1", "0, 2", "2, -1"])),
            11 => format!("({a} {} {b})", self.one(&["/", "%", "<<", ">>", "|"])),
            12 => {
                let table = self.table();
                let (alias, outer) = tables[0];
                let (column, inner) = (self.column(outer), self.column(&table));
                format!("(SELECT count(*) FROM {} z WHERE z.{inner} = {alias}{column})", table.name)
            }
            _ => format!("({})", self.condition(tables, depth - 1)),
        }
    }

    fn condition(&mut self, tables: &[(&str, &Table)], depth: usize) -> String {
        if depth == 0 {
            let op = self.one(&["=", "<", ">", "<=", ">=", "<>", "IS", "IS NOT"]);
            return format!("{} {op} {}", self.operand(tables), self.operand(tables));
        }
        let (a, b) = (self.expr(tables, depth - 1), self.expr(tables, depth - 1));
        match self.below(14) {
            0..=2 => {
                format!("{a} {} {b}", self.one(&["=", "<", ">", "<=", ">=", "<>", "IS", "IS NOT"]))
            }
            3 => format!(
                "({} AND {})",
                self.condition(tables, depth - 1),
                self.condition(tables, depth - 1)
            ),
            4 => format!(
                "({} OR {})",
                self.condition(tables, depth - 1),
                self.condition(tables, depth - 1)
            ),
            5 => format!("NOT ({})", self.condition(tables, depth - 1)),
            6 => format!("{a} {}BETWEEN {b} AND {}", self.one(&["", "NOT "]), self.literal()),
            7 => format!(
                "{a} {}IN ({}, {}, {b})",
                self.one(&["", "NOT "]),
                self.literal(),
                self.literal()
            ),
            8 => format!("{a} LIKE {}", self.one(&["'a%'", "'%1%'", "'_'", "'%'", "'A_C'"])),
            9 => format!("{a} IS {}NULL", self.one(&["", "NOT "])),
            10 => {
                let table = self.table();
                let column = self.column(&table);
                format!(
                    "{a} {}IN (SELECT {column} FROM {} WHERE {column} IS NOT NULL)",
                    self.one(&["", "NOT "]),
                    table.name
                )
            }
            11 => {
                let table = self.table();
                let (alias, outer) = tables[0];
                let (column, inner) = (self.column(outer), self.column(&table));
                format!("EXISTS (SELECT 1 FROM {} z WHERE z.{inner} = {alias}{column})", table.name)
            }
            12 => format!("{a} GLOB {}", self.one(&["'a*'", "'[0-9]*'", "'?'", "'*'"])),
            _ => format!("{a} = {b} COLLATE {}", self.one(&["NOCASE", "BINARY", "RTRIM"])),
        }
    }
}
