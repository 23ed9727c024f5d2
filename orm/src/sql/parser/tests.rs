use super::super::ast::{Core, Expr};
use super::*;

fn error(sql: &str) -> String {
    match parse(sql) {
        Ok(_) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The tree of an expression, with a pair of parentheses for each operator.
fn tree(expr: &Expr) -> String {
    match expr {
        Expr::Literal(Value::Integer(n)) => n.to_string(),
        Expr::Literal(value) => format!("{value:?}"),
        Expr::Column { name, .. } => name.text.clone(),
        Expr::Unary(op, e) => format!("({op:?} {})", tree(e)),
        Expr::Binary(op, a, b) => format!("({op:?} {} {})", tree(a), tree(b)),
        Expr::Collate(e, name) => format!("(Collate {} {name})", tree(e)),
        Expr::Between { expr, low, high, .. } => {
            format!("(Between {} {} {})", tree(expr), tree(low), tree(high))
        }
        Expr::IsNull { expr, negated } => format!("(IsNull {negated} {})", tree(expr)),
        Expr::Like { expr, pattern, .. } => format!("(Like {} {})", tree(expr), tree(pattern)),
        other => format!("{other:?}"),
    }
}

#[test]
fn operators_bind_as_in_sqlite() {
    const CASES: &[(&str, &str)] = &[
        ("a OR b = 1 + 2", "(Or a (Eq b (Add 1 2)))"),
        ("1 - 2 - 3", "(Subtract (Subtract 1 2) 3)"),
        ("NOT a = b AND c", "(And (Not (Eq a b)) c)"),
        ("-a || b COLLATE nocase", "(Concat (Negate a) (Collate b nocase))"),
        ("a BETWEEN 1 AND 2 AND b", "(And (Between a 1 2) b)"),
        ("a < 1 = b", "(Eq (Lt a 1) b)"),
        ("a & 1 < 2", "(Lt (BitAnd a 1) 2)"),
        ("a NOT NULL IS 1", "(Is (IsNull true a) 1)"),
        ("a IS NOT DISTINCT FROM b", "(Is a b)"),
        ("x LIKE 'a' || b", "(Like x (Concat Text(\"a\") b))"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "Real(9.223372036854776e18)"),
        ("0x10", "16"),
    ];
    for (sql, want) in CASES {
        let parsed = parse(&format!("SELECT {sql}")).unwrap().unwrap();
        let Statement::Select(select) = parsed.statement else { panic!("{sql}") };
        let Core::Query(query) = select.first else { panic!("{sql}") };
        let super::super::ast::ResultColumn::Expr { expr, .. } = &query.columns[0] else {
            panic!()
        };
        assert_eq!(tree(expr), *want, "{sql}");
    }
}

#[test]
fn errors_are_sqlites() {
    const CASES: &[(&str, &str)] = &[
        ("SELECT * FORM t", "near \"FORM\": syntax error"),
        ("SELECT a FORM t", "near \"t\": syntax error"),
        ("SELECT", "incomplete input"),
        ("SELECT;", "near \";\": syntax error"),
        ("SELECT 1 +", "incomplete input"),
        ("SELECT 'abc", "unrecognized token: \"'abc\""),
        ("SELECT # FROM t", "unrecognized token: \"#\""),
        ("CREATE TABLE t(a,)", "near \")\": syntax error"),
        ("CREATE TABLE t(a INT", "incomplete input"),
        ("CREATE TABLE t(a DECIMAL(1,2,))", "near \",\": syntax error"),
        ("CREATE TABLE t(a INT GENERATED AS (1))", "none"), // the type is INT GENERATED
        ("CREATE TABLE t(a INT UNIQUE GENERATED AS (1))", "near \"AS\": syntax error"),
        ("INSERT INTO t(a) VALUES", "incomplete input"),
        ("DELETE t", "near \"t\": syntax error"),
        ("SELECT 1 2", "near \"2\": syntax error"),
        ("FOO", "near \"FOO\": syntax error"),
        ("SELECT * FROM t WHERE", "incomplete input"),
        ("SELECT ?0", "variable number must be between ?1 and ?32766"),
        ("WITH x AS (SELECT 1) SELECT 1", "not supported: common table expressions (WITH)"),
        ("SELECT sum(a) OVER () FROM t", "not supported: window functions"),
        ("UPDATE t SET (a, b) = (1)", "2 columns assigned 1 values"),
    ];
    for (sql, want) in CASES {
        assert_eq!(error(sql), *want, "{sql}");
    }
    let Err(Error::Syntax { offset, .. }) = parse("SELECT * FORM t") else { panic!() };
    assert_eq!(offset, 9);
}

#[test]
fn statements_follow_each_other_and_parameters_are_numbered() {
    let sql = "; SELECT ?, ?5, :a, :a, @b ; SELECT 2";
    let first = parse(sql).unwrap().unwrap();
    let names: Vec<_> = first.parameters.iter().map(Option::as_deref).collect();
    assert_eq!(names, [None, None, None, None, None, Some(":a"), Some("@b")]);
    assert_eq!(&sql[first.tail..], " SELECT 2");
    let second = parse(&sql[first.tail..]).unwrap().unwrap();
    assert!(parse(&sql[first.tail + second.tail..]).unwrap().is_none());
}

#[test]
fn most_keywords_are_names() {
    for sql in [
        "CREATE TABLE plan(key, row INTEGER, left TEXT, \"select\", [from] int)",
        "SELECT replace(a, b, c) AS desc, end FROM query ORDER BY first DESC NULLS LAST",
        "CREATE TABLE t(a VARCHAR(40) DEFAULT -1 NOT NULL, b DEFAULT (1+2) CHECK (b > 0) \
         REFERENCES p(x) ON DELETE SET NULL, CONSTRAINT c UNIQUE (a, b) PRIMARY KEY (a DESC)) STRICT",
        "INSERT INTO t(a) VALUES (1), (2) ON CONFLICT(a) DO UPDATE SET b = excluded.b RETURNING *",
        "SELECT a.*, count(DISTINCT x) FILTER (WHERE y) FROM a NATURAL JOIN b LEFT JOIN c USING (d)",
    ] {
        assert_eq!(error(sql), "none", "{sql}");
    }
    assert!(needs_quotes("a b") && needs_quotes("select") && !needs_quotes("plan"));
}

#[test]
fn natural_holds_for_one_table_in_parentheses() {
    assert_eq!(error("SELECT * FROM a NATURAL JOIN (b)"), "none");
    let want = "not supported: a NATURAL JOIN to a parenthesised join";
    assert_eq!(error("SELECT * FROM a NATURAL JOIN (b JOIN c)"), want);
    let want = "a NATURAL join may not have an ON or USING clause";
    for join in ["b ON 1", "b USING (x)", "(b) ON 1"] {
        assert_eq!(error(&format!("SELECT * FROM a NATURAL JOIN {join}")), want);
    }
}

#[test]
fn hostile_text_ends_in_an_error_soon() {
    let deep = format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(error(&deep), "parser stack overflow");
    assert_eq!(error(&format!("SELECT {}1", "NOT ".repeat(100_000))), "parser stack overflow");
    let tall = "Expression tree is too large (maximum depth 1000)";
    assert_eq!(error(&format!("SELECT 1{}", " OR 1".repeat(1_000_000))), tall);
    assert_eq!(error(&format!("SELECT 1{}", " OR 1".repeat(998))), "none");
    // A tall operand in parentheses, again and again: depth stays small, height does not.
    let chain = " + 1".repeat(300);
    let hills = (0..5).fold("1".to_owned(), |inner, _| format!("({inner}{chain})"));
    assert_eq!(error(&format!("SELECT {hills}")), tall);
    let nested = (0..5).fold("1".to_owned(), |inner, _| format!("(SELECT {inner}{chain})"));
    assert_eq!(error(&format!("SELECT {nested}")), tall);
    let compound = format!("SELECT 1{}", " UNION SELECT 1".repeat(600));
    assert_eq!(error(&compound), "too many terms in compound SELECT");
    assert_eq!(error(&format!("SELECT '{}'", "a".repeat(1 << 20))), "none");
    for clause in ["ORDER", "GROUP"] {
        let terms = |n: usize| error(&format!("SELECT 1 {clause} BY 1{}", ", 1".repeat(n - 1)));
        assert_eq!(terms(2000), "none");
        assert_eq!(terms(2001), format!("too many terms in {clause} BY clause"));
    }
}

/// Damages statements at random places: whatever comes out, the parser answers and does not panic.
#[test]
fn mutated_statements_never_panic() {
    const SEEDS: &[&str] = &[
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT DEFAULT 'x' CHECK (b <> ''), UNIQUE (a, b))",
        "INSERT OR REPLACE INTO t(a, b) VALUES (1, x'00ff'), (?2, :n) ON CONFLICT DO NOTHING",
        "SELECT DISTINCT a.b, count(*) c FROM t a LEFT JOIN u ON a.x = u.y WHERE a BETWEEN 1 AND 2 \
         GROUP BY 1 HAVING c > 1 UNION SELECT * FROM (VALUES (1, 2)) ORDER BY 1 LIMIT 3 OFFSET 4",
        "UPDATE t SET a = CASE WHEN b IS NULL THEN 1 ELSE -2.5e3 END WHERE b LIKE 'x%' ESCAPE '\\'",
        "ALTER TABLE t RENAME COLUMN \"a\" TO [b] -- comment",
    ];
    const BYTES: &[u8] = b"'\"`[]().,;+-*/%<>=!?:@#|&~x0e 9\n_A\xc3\x28";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 16).unwrap_or(0) % below
    };
    for round in 0..20_000 {
        let mut bytes = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..=random(4) {
            let (at, other) = (random(bytes.len()), random(bytes.len()));
            match random(4) {
                0 => bytes[at] = BYTES[random(BYTES.len())],
                1 => bytes.truncate(at.max(1)),
                2 => bytes.swap(at, other),
                _ => bytes.extend_from_within(at.min(other)..at.max(other)),
            }
        }
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }
}
