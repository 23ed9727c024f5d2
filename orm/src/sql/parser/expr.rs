//! Expressions, by operator precedence (day 0, query it).
//!
//! A grammar rule for each of the twelve levels of precedence would be twelve functions that call
//! each other for every literal. Instead one loop holds a left operand and asks of the next
//! operator: do you bind tighter than the one who called me? If so it takes the operand:
//!
//! ```text
//! a OR b = 1 + 2          expr(0): left a;  OR binds 1 > 0: right = expr(1)
//!                           expr(1): left b;  = binds 4 > 1: right = expr(4)
//!                             expr(4): left 1;  + binds 8 > 4: right = expr(8)
//!                               expr(8): left 2;  end: return 2
//!                             return 1 + 2
//!                           return b = (1 + 2)
//!                         return a OR (b = (1 + 2))
//! ```
//!
//! Expressions stand in each other, so what one of these functions takes of the stack counts for each
//! level. `#[inline(never)]` keeps the locals of the rare rules out of the frames of the common ones.
//!
//! # The idea alone
//! ```
//! /// Reads `1 + 2 * 3 - 4`: numbers and operators by turns.
//! fn expr(tokens: &mut std::iter::Peekable<std::str::SplitWhitespace<'_>>, floor: u8) -> f64 {
//!     let mut left: f64 = tokens.next().and_then(|token| token.parse().ok()).unwrap_or(f64::NAN);
//!     loop {
//!         let (op, power) = match tokens.peek() {
//!             Some(&"+") => ('+', 1),
//!             Some(&"-") => ('-', 1),
//!             Some(&"*") => ('*', 2),
//!             _ => return left,
//!         };
//!         // Who called binds tighter, or as tight: the operand on the left is theirs.
//!         if power <= floor {
//!             return left;
//!         }
//!         tokens.next();
//!         let right = expr(tokens, power);
//!         left = match op {
//!             '+' => left + right,
//!             '-' => left - right,
//!             _ => left * right,
//!         };
//!     }
//! }
//!
//! let value = |text: &str| expr(&mut text.split_whitespace().peekable(), 0);
//! assert_eq!(value("1 + 2 * 3 - 4"), 3.0);
//! assert_eq!(value("10 - 4 - 3"), 3.0); // to the left, not 10 - (4 - 3)
//! ```
//!
//! This is Pratt's method ("Top down operator precedence", 1973). Equal operators bind to the left,
//! and `a OR b OR c ...` goes round the loop instead of deeper into the stack.

use super::super::ast::{BinaryOp, Call, Expr, LikeOp, Select, UnaryOp};
use super::super::lexer::{Kind, unquote};
use super::schema::CLOCK;
use super::{
    Error, HEIGHT_MAX, Name, Parser, RESERVED, Result, VARIABLE_MAX, Value, one_of, unsupported,
};

/// How tightly prefix NOT, comparisons, ESCAPE, COLLATE and the signs bind.
const NOT: u8 = 3;
const EQUALITY: u8 = 4;
const COMPARISON: u8 = 5;
const ESCAPE: u8 = 6;
const COLLATE: u8 = 11;
const SIGN: u8 = 12;

/// An operand, and how much taller an operator has made it: 0, none took it.
///
/// SQLite counts each operator as 1, as is done here for AND and OR. A chain of arithmetic keeps its
/// height when it is compiled, and counts as [`TALL`]: 500 additions are the longest. All others run
/// by recursion, so they count as [`RECURSIVE`]: 200 comparisons, if the [stack] holds them.
///
/// [stack]: super::super::stack
type Taken = (Expr, usize);
const TALL: usize = 2;
const RECURSIVE: usize = 5;

impl Parser<'_> {
    /// `expr`, whole.
    pub(super) fn expr(&mut self) -> Result<Expr> {
        let expr = self.expr_above(0)?;
        self.tallest = self.tallest.max(self.height);
        Ok(expr)
    }

    /// An expression whose operators all bind tighter than `floor`.
    fn expr_above(&mut self, floor: u8) -> Result<Expr> {
        self.nested(|p| {
            let mut left = p.operand()?;
            loop {
                if p.height > HEIGHT_MAX {
                    let text = "Expression tree is too large (maximum depth 1000)";
                    return Err(Error::Sql(text.into()));
                }
                let height = std::mem::take(&mut p.height);
                let taken;
                (left, taken) = p.infix(left, floor)?;
                p.height = p.height.max(height) + taken;
                if taken == 0 {
                    return Ok(left);
                }
            }
        })
    }

    /// Takes `left` into the operator in hand, if that binds tighter than `floor`.
    fn infix(&mut self, left: Expr, floor: u8) -> Result<Taken> {
        // Most operands stand in a list: their end is seen without trying thirty operators.
        if self.is(",") || self.is(")") || self.token.kind == Kind::End {
            return Ok((left, 0));
        }
        if let Some((op, power)) = self.binary_op() {
            if power <= floor {
                return Ok((left, 0));
            }
            self.advance();
            let right = self.expr_above(power)?;
            let taller = match power {
                ..EQUALITY => 1,
                EQUALITY..=COMPARISON => RECURSIVE,
                _ => TALL,
            };
            return Ok((Expr::Binary(op, Box::new(left), Box::new(right)), taller));
        }
        if floor < COLLATE && self.eat("COLLATE") {
            let name = self.name()?.text;
            return Ok((Expr::Collate(Box::new(left), name), RECURSIVE));
        }
        if self.is("->") || self.is("->>") {
            return Err(unsupported("the JSON operators -> and ->>"));
        }
        if floor < EQUALITY { self.predicate(left) } else { Ok((left, 0)) }
    }

    /// The operator in hand, if it stands between two operands and nothing else is to it.
    fn binary_op(&self) -> Option<(BinaryOp, u8)> {
        Some(match (self.token.kind, self.text()) {
            (Kind::Symbol, "=" | "==") => (BinaryOp::Eq, EQUALITY),
            (Kind::Symbol, "!=" | "<>") => (BinaryOp::Ne, EQUALITY),
            (Kind::Symbol, "<") => (BinaryOp::Lt, COMPARISON),
            (Kind::Symbol, "<=") => (BinaryOp::Le, COMPARISON),
            (Kind::Symbol, ">") => (BinaryOp::Gt, COMPARISON),
            (Kind::Symbol, ">=") => (BinaryOp::Ge, COMPARISON),
            (Kind::Symbol, "&") => (BinaryOp::BitAnd, 7),
            (Kind::Symbol, "|") => (BinaryOp::BitOr, 7),
            (Kind::Symbol, "<<") => (BinaryOp::ShiftLeft, 7),
            (Kind::Symbol, ">>") => (BinaryOp::ShiftRight, 7),
            (Kind::Symbol, "+") => (BinaryOp::Add, 8),
            (Kind::Symbol, "-") => (BinaryOp::Subtract, 8),
            (Kind::Symbol, "*") => (BinaryOp::Multiply, 9),
            (Kind::Symbol, "/") => (BinaryOp::Divide, 9),
            (Kind::Symbol, "%") => (BinaryOp::Remainder, 9),
            (Kind::Symbol, "||") => (BinaryOp::Concat, 10),
            (Kind::Word, _) if self.is("AND") => (BinaryOp::And, 2),
            (Kind::Word, _) if self.is("OR") => (BinaryOp::Or, 1),
            _ => return None,
        })
    }

    /// `left IS ... | IN ... | BETWEEN ... | LIKE ... | ISNULL | NOTNULL`, each perhaps with NOT.
    #[inline(never)]
    fn predicate(&mut self, left: Expr) -> Result<Taken> {
        if self.eat("IS") {
            let mut negated = self.eat("NOT");
            if self.is("DISTINCT") && self.next_is("FROM") {
                self.advance();
                self.advance();
                negated = !negated;
            }
            let right = Box::new(self.expr_above(EQUALITY)?);
            let op = if negated { BinaryOp::IsNot } else { BinaryOp::Is };
            return Ok((Expr::Binary(op, Box::new(left), right), RECURSIVE));
        }
        if self.is("ISNULL") || self.is("NOTNULL") {
            let negated = self.advance().eq_ignore_ascii_case("NOTNULL");
            return Ok((Expr::IsNull { expr: Box::new(left), negated }, RECURSIVE));
        }
        let negated = self.eat("NOT");
        if negated && self.eat("NULL") {
            return Ok((Expr::IsNull { expr: Box::new(left), negated }, RECURSIVE));
        }
        if self.eat("BETWEEN") {
            return Ok((self.between(left, negated)?, RECURSIVE));
        }
        if self.eat("IN") {
            return Ok((self.in_operand(left, negated)?, RECURSIVE));
        }
        if self.is("LIKE") || self.is("GLOB") {
            return Ok((self.like(left, negated)?, RECURSIVE));
        }
        if self.is("MATCH") || self.is("REGEXP") {
            return Err(unsupported(&format!("the operator {}", self.text().to_uppercase())));
        }
        if negated { Err(self.error()) } else { Ok((left, 0)) }
    }

    /// `left BETWEEN low AND high`: that AND belongs to BETWEEN, so `low` binds tighter than it.
    #[inline(never)]
    fn between(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        let low = Box::new(self.expr_above(EQUALITY)?);
        let height = self.height;
        self.expect("AND")?;
        let high = Box::new(self.expr_above(EQUALITY)?);
        self.height = self.height.max(height);
        Ok(Expr::Between { expr: Box::new(left), low, high, negated })
    }

    /// `left LIKE pattern [ESCAPE character] | left GLOB pattern`
    #[inline(never)]
    fn like(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        let op = if self.is("LIKE") { LikeOp::Like } else { LikeOp::Glob };
        self.advance();
        let pattern = Box::new(self.expr_above(EQUALITY)?);
        let height = self.height;
        let escape =
            if self.eat("ESCAPE") { Some(Box::new(self.expr_above(ESCAPE)?)) } else { None };
        self.height = self.height.max(height);
        Ok(Expr::Like { op, expr: Box::new(left), pattern, escape, negated })
    }

    /// `left IN (list) | IN (select) | IN table`
    #[inline(never)]
    fn in_operand(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        let expr = Box::new(left);
        if !self.eat("(") {
            let table = self.qualified_name()?;
            let select = Box::new(Select::whole_table(table));
            return Ok(Expr::InSelect { expr, select, negated });
        }
        let result = if self.starts_query() {
            Expr::InSelect { expr, select: Box::new(self.subquery()?), negated }
        } else {
            let list = if self.is(")") { Vec::new() } else { self.expr_list()? };
            Expr::InList { expr, list, negated }
        };
        self.expect(")")?;
        Ok(result)
    }

    /// `expr, expr, ...`; the height becomes that of the tallest.
    pub(super) fn expr_list(&mut self) -> Result<Vec<Expr>> {
        let mut height = 0;
        let list = self.list(|p| {
            let expr = p.expr()?;
            height = height.max(p.height);
            Ok(expr)
        })?;
        self.height = height;
        Ok(list)
    }

    /// A query inside an expression, which is then as tall as what is in the query.
    #[inline(never)]
    fn subquery(&mut self) -> Result<Select> {
        let outside = std::mem::take(&mut self.tallest);
        let select = self.select()?;
        self.height = self.tallest;
        self.tallest = outside;
        Ok(select)
    }

    /// `operand: literal | variable | column | function | prefix operand | ( ... ) | CASE | CAST`
    pub(super) fn operand(&mut self) -> Result<Expr> {
        self.height = 0;
        let expr = match self.token.kind {
            Kind::Integer | Kind::Float => Expr::Literal(self.number(false)?),
            Kind::Text => Expr::Literal(Value::Text(unquote(self.advance()))),
            Kind::Blob => Expr::Literal(Value::Blob(unhex(self.advance()))),
            Kind::Variable => self.variable()?,
            Kind::Symbol => self.prefix()?,
            Kind::Word if one_of(RESERVED, self.text()) => self.keyword_operand()?,
            Kind::Word | Kind::Quoted => self.word_operand()?,
            Kind::End | Kind::Bad => return Err(self.error()),
        };
        self.height += 1;
        Ok(expr)
    }

    /// `( ... ) | - operand | + operand | ~ operand`
    #[inline(never)]
    fn prefix(&mut self) -> Result<Expr> {
        if self.eat("(") {
            return self.parenthesis();
        }
        let op = match self.text() {
            "-" => UnaryOp::Negate,
            "+" => UnaryOp::Plus,
            "~" => UnaryOp::BitNot,
            _ => return Err(self.error()),
        };
        self.advance();
        // -9223372036854775808 is an integer although its digits alone are not.
        if op == UnaryOp::Negate && matches!(self.token.kind, Kind::Integer | Kind::Float) {
            return Ok(Expr::Literal(self.number(true)?));
        }
        Ok(Expr::Unary(op, Box::new(self.expr_above(SIGN)?)))
    }

    /// What follows `(`: an expression, a row, or a query.
    #[inline(never)]
    fn parenthesis(&mut self) -> Result<Expr> {
        let expr = if self.starts_query() {
            Expr::Subquery(Box::new(self.subquery()?))
        } else {
            let mut list = self.expr_list()?;
            match list.pop() {
                Some(only) if list.is_empty() => only,
                last => {
                    list.extend(last);
                    Expr::Row(list)
                }
            }
        };
        self.expect(")")?;
        Ok(expr)
    }

    /// An operand that starts with a reserved word.
    #[inline(never)]
    fn keyword_operand(&mut self) -> Result<Expr> {
        if self.eat("NULL") {
            return Ok(Expr::Literal(Value::Null));
        }
        if self.eat("NOT") {
            return Ok(Expr::Unary(UnaryOp::Not, Box::new(self.expr_above(NOT)?)));
        }
        if self.eat("EXISTS") {
            self.expect("(")?;
            let select = Box::new(self.subquery()?);
            self.expect(")")?;
            return Ok(Expr::Exists(select));
        }
        if self.eat("CASE") {
            return self.case();
        }
        Err(self.error())
    }

    /// `CASE [base] WHEN value THEN result ... [ELSE result] END`
    #[inline(never)]
    fn case(&mut self) -> Result<Expr> {
        let mut height = 0;
        let mut part = |p: &mut Self| {
            let expr = p.expr()?;
            height = height.max(p.height);
            Ok::<_, Error>(expr)
        };
        let base = if self.is("WHEN") { None } else { Some(Box::new(part(self)?)) };
        let mut arms = Vec::new();
        self.expect("WHEN")?;
        loop {
            let when = part(self)?;
            self.expect("THEN")?;
            arms.push((when, part(self)?));
            if !self.eat("WHEN") {
                break;
            }
        }
        let otherwise = if self.eat("ELSE") { Some(Box::new(part(self)?)) } else { None };
        self.expect("END")?;
        self.height = height;
        Ok(Expr::Case { base, arms, otherwise })
    }

    /// `CAST(expr AS type) | function(...) | column | table.column`
    #[inline(never)]
    fn word_operand(&mut self) -> Result<Expr> {
        if self.is("CAST") && self.next_is("(") {
            self.advance();
            self.advance();
            let expr = Box::new(self.expr()?);
            self.expect("AS")?;
            let type_name = self.type_name()?;
            self.expect(")")?;
            return Ok(Expr::Cast(expr, type_name));
        }
        if self.token.kind == Kind::Word && one_of(CLOCK, self.text()) {
            let name = self.name()?;
            let (distinct, star, args, filter) = (false, false, Vec::new(), None);
            return Ok(Expr::Call(Box::new(Call { name, distinct, star, args, filter })));
        }
        let mut name = self.name()?;
        if self.is("(") {
            return self.call(name);
        }
        let mut table = None;
        while self.eat(".") {
            // `main.t.c`: of two qualifiers the second is the table.
            table = Some(std::mem::replace(&mut name, self.name()?));
        }
        Ok(Expr::Column { table, name })
    }

    /// `name( [DISTINCT] args | * ) [FILTER (WHERE expr)]`
    #[inline(never)]
    fn call(&mut self, name: Name) -> Result<Expr> {
        self.expect("(")?;
        let star = self.eat("*");
        let distinct = !star && self.eat("DISTINCT");
        if !star && !distinct {
            self.eat("ALL");
        }
        let args = if star || self.is(")") { Vec::new() } else { self.expr_list()? };
        let mut height = self.height;
        if self.is("ORDER") {
            return Err(unsupported("ORDER BY in the arguments of an aggregate"));
        }
        self.expect(")")?;
        let mut filter = None;
        if self.is("FILTER") && self.next_is("(") {
            self.advance();
            self.advance();
            self.expect("WHERE")?;
            filter = Some(self.expr()?);
            height = height.max(self.height);
            self.expect(")")?;
        }
        if self.is("OVER") {
            return Err(unsupported("window functions"));
        }
        self.height = height;
        Ok(Expr::Call(Box::new(Call { name, distinct, star, args, filter })))
    }

    /// `? | ?N | :name`: gives the parameter its index.
    #[inline(never)]
    fn variable(&mut self) -> Result<Expr> {
        let text = self.advance();
        let index = if let Some(digits) = text.strip_prefix('?').filter(|d| !d.is_empty()) {
            let number = digits.parse().ok().filter(|n| (1..=VARIABLE_MAX).contains(n));
            let range = || Error::Sql("variable number must be between ?1 and ?32766".into());
            number.ok_or_else(range)? - 1
        } else {
            // A plain `?` has no name, and where there are thousands they must not look for it.
            let named = |name: &Option<String>| name.as_deref() == Some(text);
            let known = (text != "?").then(|| self.parameters.iter().position(named)).flatten();
            known.unwrap_or(self.parameters.len())
        };
        if index >= VARIABLE_MAX {
            return Err(Error::Sql("too many SQL variables".into()));
        }
        if index >= self.parameters.len() {
            self.parameters.resize(index + 1, None);
            self.parameters[index] = Some(text.to_owned()).filter(|name| !name.starts_with('?'));
        }
        Ok(Expr::Variable(index))
    }

    /// `123 | 0x7b | 1.5`: digits beyond 64 bits make a real number.
    #[inline(never)]
    pub(super) fn number(&mut self, negative: bool) -> Result<Value> {
        let text = self.advance();
        if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            let bits = u64::from_str_radix(hex, 16)
                .map_err(|_| Error::Sql(format!("hex literal too big: {text}")))?;
            let number = bits.cast_signed();
            if negative && number == i64::MIN {
                return Err(Error::Sql(format!("hex literal too big: -{text}")));
            }
            return Ok(Value::Integer(if negative { number.wrapping_neg() } else { number }));
        }
        let signed = if negative { format!("-{text}") } else { text.to_owned() };
        Ok(match signed.parse() {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::from(signed.parse::<f64>().unwrap_or(0.0)),
        })
    }
}

/// The bytes of `x'00ff'`, whose digits the lexer has checked.
fn unhex(token: &str) -> Vec<u8> {
    let digit = |b: u8| u8::try_from(char::from(b).to_digit(16).unwrap_or(0)).unwrap_or(0);
    let digits = token.as_bytes().get(2..token.len() - 1).unwrap_or_default();
    digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
