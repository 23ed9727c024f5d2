//! A driver that notes what the ORM sends through it: each text with its arguments, in order.

use std::cell::RefCell;
use std::rc::Rc;

use orm::driver::{Connection, Driver, Rows, Statement};
use orm::{Dialect, Result, Value};

type Sent = (String, Vec<Value>);
type Log = Rc<RefCell<Vec<Sent>>>;

/// Hands everything on to another driver.
#[derive(Debug)]
pub(crate) struct Recorder<'d> {
    inner: &'d dyn Driver,
    log: Log,
    /// How many statements were prepared.
    prepared: Rc<RefCell<usize>>,
}

impl<'d> Recorder<'d> {
    pub(crate) fn new(inner: &'d dyn Driver) -> Recorder<'d> {
        Recorder { inner, log: Log::default(), prepared: Rc::default() }
    }

    /// What was sent since the last call. The blank at the end of raw texts is cut off.
    pub(crate) fn take(&self) -> Vec<Sent> {
        self.log.take().into_iter().map(|(text, args)| (text.trim_end().to_owned(), args)).collect()
    }

    pub(crate) fn prepared(&self) -> usize {
        self.prepared.take()
    }
}

impl Driver for Recorder<'_> {
    fn open(&self, source: &str) -> Result<Box<dyn Connection>> {
        let inner = self.inner.open(source)?;
        let (log, prepared) = (Rc::clone(&self.log), Rc::clone(&self.prepared));
        Ok(Box::new(Recorded { inner, log, prepared }))
    }

    fn dialect(&self) -> &'static dyn Dialect {
        self.inner.dialect()
    }
}

#[derive(Debug)]
struct Recorded {
    inner: Box<dyn Connection>,
    log: Log,
    prepared: Rc<RefCell<usize>>,
}

impl Connection for Recorded {
    fn prepare<'c>(&'c self, sql: &str) -> Result<Box<dyn Statement + 'c>> {
        *self.prepared.borrow_mut() += 1;
        let (inner, log) = (self.inner.prepare(sql)?, Rc::clone(&self.log));
        Ok(Box::new(Noted { inner, sql: sql.to_owned(), log }))
    }

    fn in_transaction(&self) -> bool {
        self.inner.in_transaction()
    }
}

#[derive(Debug)]
struct Noted<'c> {
    inner: Box<dyn Statement + 'c>,
    sql: String,
    log: Log,
}

impl Statement for Noted<'_> {
    fn execute(&mut self, args: &[Value]) -> Result<usize> {
        self.log.borrow_mut().push((self.sql.clone(), args.to_vec()));
        self.inner.execute(args)
    }

    fn query<'r>(&'r mut self, args: &[Value]) -> Result<Box<dyn Rows + 'r>> {
        self.log.borrow_mut().push((self.sql.clone(), args.to_vec()));
        self.inner.query(args)
    }
}
