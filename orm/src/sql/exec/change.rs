//! INSERT, UPDATE and DELETE (day 0, query it).
//!
//! ```text
//! for each row to insert                         for each row that WHERE finds
//!   put the values in the table's order            (their rowids are collected first: a row that
//!   affinities, defaults                             the change moves must not be met again)
//!   NOT NULL, CHECK                                compute the new values, from the old ones
//!   is the rowid taken? a unique key?              the same checks
//!   write the table, then the indexes              write what is different
//! ```
//!
//! Where a constraint is broken, the conflict clause decides. IGNORE goes on with the next row,
//! REPLACE removes what is in the way. The other three end the statement, and
//! [whoever runs it](super::super::connection) undoes: ABORT the statement, ROLLBACK the whole
//! transaction, FAIL nothing, so that the rows before this one stay.

use std::cell::RefCell;
use std::sync::Arc;

use super::super::ast::OnConflict;
use super::super::btree::{clear_tree, count};
use super::super::catalog::Table;
use super::super::expr::{Code, Ctx, Env, Val};
use super::super::plan::{CorePlan, OutputColumn, SelectPlan};
use super::super::{Error, Result, Value, ValueRef};
use super::loops::Loops;
use super::sequence::Sequence;
use super::write::{Conflict, Writer};
use super::{Row, SelectRun, Source, outputs};

/// What all changes of a table need.
#[derive(Debug)]
pub(crate) struct ChangePlan {
    pub(crate) table: Arc<Table>,
    pub(crate) kind: ChangeKind,
    /// `OR ...` of the statement; it overrides the constraints' own.
    pub(crate) on_conflict: Option<OnConflict>,
    /// CHECKs: what the error says, and the condition on the new row, source 0.
    pub(crate) checks: Vec<(String, Code)>,
    pub(crate) filters: Arc<[Option<Code>]>,
    /// The defaults of the columns, where they have one.
    pub(crate) defaults: Vec<Option<Code>>,
    pub(crate) returning: (Vec<OutputColumn>, Vec<Code>),
    /// `sqlite_sequence`, for AUTOINCREMENT.
    pub(crate) sequence: Option<u32>,
    /// The writer of the last run.
    pub(crate) writer: RefCell<Option<Box<Writer>>>,
}

#[derive(Debug)]
pub(crate) enum ChangeKind {
    Insert {
        /// Which value of a row of the query each column takes.
        columns: Vec<Option<usize>>,
        /// Which value is the rowid, where it is given under that name.
        rowid: Option<usize>,
        rows: Option<SelectPlan>,
        upserts: Vec<UpsertPlan>,
    },
    Update {
        find: CorePlan,
        set: Assignments,
    },
    Delete {
        find: CorePlan,
    },
    /// DELETE without WHERE.
    Clear,
}

/// Column (`None`: the rowid) and new value.
pub(crate) type Assignments = Vec<(Option<usize>, Code)>;

/// `ON CONFLICT`: the old row is source 0, `excluded` source 1.
#[derive(Debug)]
pub(crate) struct UpsertPlan {
    /// The index it is about (`None` inside: the rowid), or any.
    pub(crate) target: Option<Option<usize>>,
    pub(crate) update: Option<(Assignments, Option<Code>)>,
}

/// What a statement changed.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    pub(crate) count: i64,
    pub(crate) returned: Vec<Row>,
}

/// Why a row was not written.
enum Stop {
    /// Go on with the next row.
    Skip,
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

impl ChangePlan {
    /// Whether it can fail after something has been written. A savepoint is not free: each page
    /// that the statement changes is copied for it.
    pub(crate) fn may_need_undo(&self) -> bool {
        let replaces = self.on_conflict == Some(OnConflict::Replace)
            || self.table.rowid_conflict.is_some()
            || self.table.indexes.iter().any(|index| index.on_conflict.is_some());
        // These are evaluated between and after the writes of a row.
        let evaluates = !self.returning.1.is_empty() || self.filters.iter().any(Option::is_some);
        if replaces || evaluates {
            return true;
        }
        match &self.kind {
            ChangeKind::Insert { rows, upserts, .. } => {
                let single = rows
                    .as_ref()
                    .is_none_or(|rows| rows.rest.is_empty() && rows.first.values.len() == 1);
                !single || !upserts.is_empty()
            }
            ChangeKind::Update { find, .. } | ChangeKind::Delete { find } => !find.finds_one(),
            ChangeKind::Clear => true,
        }
    }

    /// Runs the statement inside a write transaction.
    pub(crate) fn run(&self, env: &Env<'_>) -> Result<Changed> {
        let mut changed = Changed::default();
        let mut writer = self
            .writer
            .take()
            .unwrap_or_else(|| Box::new(Writer::new(&self.table, Arc::clone(&self.filters))));
        match &self.kind {
            ChangeKind::Clear => self.clear(env, &mut changed)?,
            ChangeKind::Delete { find } => {
                for rowid in self.find(find, env, &mut writer)? {
                    let old = writer.read(&mut env.shared.pager.borrow_mut(), rowid)?;
                    let Some(old) = old else { continue };
                    writer.delete(env, rowid, &old)?;
                    self.done(env, rowid, old, &mut changed)?;
                }
            }
            ChangeKind::Update { find, set } => {
                for rowid in self.find(find, env, &mut writer)? {
                    let old = writer.read(&mut env.shared.pager.borrow_mut(), rowid)?;
                    let Some(old) = old else { continue };
                    self.update_row(env, &mut writer, (rowid, old), set, None, &mut changed)?;
                }
            }
            ChangeKind::Insert { .. } => self.insert(env, &mut writer, &mut changed)?,
        }
        writer.rest();
        self.writer.replace(Some(writer));
        Ok(changed)
    }

    fn clear(&self, env: &Env<'_>, changed: &mut Changed) -> Result<()> {
        let mut pager = env.shared.pager.borrow_mut();
        changed.count = i64::try_from(count(&mut pager, self.table.root)?).unwrap_or(i64::MAX);
        clear_tree(&mut pager, self.table.root)?;
        for index in &self.table.indexes {
            clear_tree(&mut pager, index.root)?;
        }
        Ok(())
    }

    /// The rowids of the rows that WHERE lets through. The writer takes the cursor over: it is on
    /// the last of them, often the only one, which then need not be looked up again.
    fn find(&self, plan: &CorePlan, env: &Env<'_>, writer: &mut Writer) -> Result<Vec<i64>> {
        let mut loops = Loops::new(plan);
        let mut rowids = Vec::new();
        while loops.next(plan, env, None)? {
            if let ValueRef::Integer(rowid) = loops.sources[0].rowid() {
                rowids.push(rowid);
            }
        }
        if let super::source::Kind::Table { cursor, .. } = loops.sources.swap_remove(0).kind {
            writer.cursor = cursor;
        }
        Ok(rowids)
    }

    /// Counts a row, and computes what RETURNING wants of it.
    fn done(&self, env: &Env<'_>, rowid: i64, values: Row, changed: &mut Changed) -> Result<()> {
        changed.count += 1;
        if !self.returning.1.is_empty() {
            let sources = [Source::memory(rowid, values)];
            let mut row = Row::new();
            outputs(
                &self.returning.1,
                &Ctx { env, sources: &sources, slots: &[], parent: None },
                &mut row,
            )?;
            changed.returned.push(row);
        }
        Ok(())
    }

    // ---- INSERT ----

    fn insert(&self, env: &Env<'_>, writer: &mut Writer, changed: &mut Changed) -> Result<()> {
        let ChangeKind::Insert { columns, rowid, rows, upserts } = &self.kind else {
            return Ok(());
        };
        let targets: Vec<_> = upserts.iter().filter_map(|upsert| upsert.target).collect();
        if !targets.is_empty() {
            writer.look_first(&targets);
        }
        let mut sequence = Sequence::open(self, env)?;
        let mut add = |given: &mut Row, writer: &mut Writer| {
            let wanted = rowid.map(|at| given[at].clone());
            let values = self.place(env, columns, given)?;
            self.insert_row(env, writer, wanted, values, &mut sequence, changed)
        };
        match rows {
            None => add(&mut Row::new(), writer)?,
            Some(plan) => {
                let (mut run, mut row) = (SelectRun::new(plan, env, None)?, Row::new());
                // What is read must not depend on what has been written.
                let mut kept = self.reads_itself(plan).then(Vec::new);
                while run.next(plan, env, None, &mut row)? {
                    match &mut kept {
                        Some(kept) => kept.push(std::mem::take(&mut row)),
                        None => add(&mut row, writer)?,
                    }
                }
                for mut row in kept.into_iter().flatten() {
                    add(&mut row, writer)?;
                }
            }
        }
        sequence.close(env)
    }

    /// Whether the rows may come from the table itself: from a query, or a query inside VALUES.
    fn reads_itself(&self, plan: &SelectPlan) -> bool {
        let mut cores = std::iter::once(&plan.first).chain(plan.rest.iter().map(|rest| &rest.1));
        cores.any(|core| core.values.is_empty() || core.values.iter().flatten().any(has_query))
    }

    /// The given values in the table's order, with defaults and affinities.
    fn place(&self, env: &Env<'_>, columns: &[Option<usize>], given: &mut Row) -> Result<Row> {
        let mut values = Row::with_capacity(columns.len());
        for (at, from) in columns.iter().enumerate() {
            let value = match (from, &self.defaults[at]) {
                (Some(from), _) => std::mem::take(&mut given[*from]),
                (None, Some(default)) => {
                    let ctx = Ctx { env, sources: &[], slots: &[], parent: None };
                    default.eval(&ctx)?.into_value()
                }
                (None, None) => Value::Null,
            };
            values.push(self.table.columns[at].affinity.apply(Val::Own(value)).into_value());
        }
        Ok(values)
    }

    fn insert_row(
        &self,
        env: &Env<'_>,
        writer: &mut Writer,
        wanted: Option<Value>,
        mut values: Row,
        sequence: &mut Sequence,
        changed: &mut Changed,
    ) -> Result<()> {
        let alias = self.table.rowid_alias;
        let wanted = wanted.or_else(|| alias.map(|at| values[at].clone())).unwrap_or_default();
        let fresh = wanted == Value::Null;
        let rowid =
            if fresh { writer.new_rowid(env, sequence.largest)? } else { rowid_of(wanted)? };
        if let Some(alias) = alias {
            values[alias] = Value::Integer(rowid);
        }
        // Even a row that is then ignored uses its number up.
        sequence.largest = sequence.largest.max(rowid);
        let ready = self.check_row(env, rowid, &mut values);
        match ready.and_then(|()| self.clear_way(env, writer, rowid, &values, changed)) {
            Ok(()) => {}
            Err(Stop::Skip) => return Ok(()),
            Err(Stop::Error(error)) => return Err(error),
        }
        writer.insert(env, rowid, &values)?;
        env.shared.last_rowid.set(rowid);
        self.done(env, rowid, values, changed)
    }

    /// Deals with everything that is in a new row's way.
    fn clear_way(
        &self,
        env: &Env<'_>,
        writer: &mut Writer,
        rowid: i64,
        values: &Row,
        changed: &mut Changed,
    ) -> std::result::Result<(), Stop> {
        let ChangeKind::Insert { upserts, .. } = &self.kind else { return Ok(()) };
        let mut from = 0;
        while let Some((conflict, step)) = writer.conflict(env, rowid, values, None, from)? {
            let fits = |upsert: &&UpsertPlan| upsert.target.is_none_or(|t| t == conflict.index);
            if let Some(upsert) = upserts.iter().find(fits) {
                self.upsert(env, writer, &conflict, (rowid, values), upsert, changed)?;
                return Err(Stop::Skip);
            }
            self.resolve(env, writer, &conflict)?;
            // What was in the way is gone: look at the same place again.
            from = step;
        }
        Ok(())
    }

    /// `DO UPDATE`: the row in the way takes new values.
    fn upsert(
        &self,
        env: &Env<'_>,
        writer: &mut Writer,
        conflict: &Conflict,
        (rowid, values): (i64, &Row),
        upsert: &UpsertPlan,
        changed: &mut Changed,
    ) -> Result<()> {
        let Some((set, filter)) = &upsert.update else { return Ok(()) };
        let old = writer.read(&mut env.shared.pager.borrow_mut(), conflict.rowid)?;
        let Some(old) = old else { return Ok(()) };
        if let Some(filter) = filter {
            let excluded = Source::memory(rowid, values.clone());
            let sources = [Source::memory(conflict.rowid, old.clone()), excluded];
            if filter.truth(&Ctx { env, sources: &sources, slots: &[], parent: None })?
                != Some(true)
            {
                return Ok(());
            }
        }
        let excluded = Some((rowid, values));
        self.update_row(env, writer, (conflict.rowid, old), set, excluded, changed)
    }

    // ---- UPDATE ----

    fn update_row(
        &self,
        env: &Env<'_>,
        writer: &mut Writer,
        (old_rowid, old): (i64, Row),
        set: &Assignments,
        excluded: Option<(i64, &Row)>,
        changed: &mut Changed,
    ) -> Result<()> {
        let mut values = old.clone();
        let mut rowid = old_rowid;
        let mut sources = vec![Source::memory(old_rowid, old)];
        sources.extend(excluded.map(|(rowid, values)| Source::memory(rowid, values.clone())));
        let ctx = Ctx { env, sources: &sources, slots: &[], parent: None };
        for (column, code) in set {
            let value = code.eval(&ctx)?;
            match column {
                Some(at) => {
                    values[*at] = self.table.columns[*at].affinity.apply(value).into_value();
                    if self.table.rowid_alias == Some(*at) {
                        rowid = rowid_of(std::mem::take(&mut values[*at]))?;
                    }
                }
                None => rowid = rowid_of(value.into_value())?,
            }
        }
        if let Some(alias) = self.table.rowid_alias {
            values[alias] = Value::Integer(rowid);
        }
        let super::source::Kind::Memory { values: old, .. } = &sources[0].kind else {
            return Ok(());
        };
        let ready = self.check_row(env, rowid, &mut values);
        let way = ready.and_then(|()| {
            let (mut from, moved) = (0, Some((old_rowid, old)));
            while let Some((conflict, step)) = writer.conflict(env, rowid, &values, moved, from)? {
                self.resolve(env, writer, &conflict)?;
                from = step;
            }
            Ok(())
        });
        match way {
            Ok(()) => {}
            Err(Stop::Skip) => return Ok(()),
            Err(Stop::Error(error)) => return Err(error),
        }
        writer.update(env, (old_rowid, old), rowid, &values)?;
        self.done(env, rowid, values, changed)
    }

    // ---- constraints ----

    /// NOT NULL and CHECK.
    fn check_row(
        &self,
        env: &Env<'_>,
        rowid: i64,
        values: &mut Row,
    ) -> std::result::Result<(), Stop> {
        for (at, column) in self.table.columns.iter().enumerate() {
            if !column.not_null || values[at] != Value::Null {
                continue;
            }
            let action = self.on_conflict.or(column.not_null_conflict).unwrap_or_default();
            if let (OnConflict::Replace, Some(default)) = (action, &self.defaults[at]) {
                let ctx = Ctx { env, sources: &[], slots: &[], parent: None };
                let value = default.eval(&ctx)?;
                values[at] = column.affinity.apply(value).into_value();
            }
            if values[at] == Value::Null {
                let error = Error::NotNull(format!("{}.{}", self.table.name, column.name));
                return Err(self.stop(env, action, error));
            }
        }
        if self.checks.is_empty() {
            return Ok(());
        }
        let sources = [Source::memory(rowid, std::mem::take(values))];
        let ctx = Ctx { env, sources: &sources, slots: &[], parent: None };
        let mut broken = None;
        for (label, check) in &self.checks {
            // NULL is not false: a CHECK that is not known passes.
            if check.truth(&ctx)? == Some(false) {
                broken = Some(Error::Check(label.clone()));
                break;
            }
        }
        let [Source { kind: super::source::Kind::Memory { values: back, .. }, .. }] = sources
        else {
            return Ok(());
        };
        *values = back;
        match broken {
            None => Ok(()),
            Some(error) => {
                let action = self.on_conflict.filter(|action| *action != OnConflict::Replace);
                Err(self.stop(env, action.unwrap_or_default(), error))
            }
        }
    }

    /// Does what the conflict clause says about a row in the way.
    fn resolve(
        &self,
        env: &Env<'_>,
        writer: &mut Writer,
        conflict: &Conflict,
    ) -> std::result::Result<(), Stop> {
        let index = conflict.index.map(|at| &self.table.indexes[at]);
        let own = index.map_or(self.table.rowid_conflict, |index| index.on_conflict);
        let action = self.on_conflict.or(own).unwrap_or_default();
        if action == OnConflict::Replace {
            let old = writer.read(&mut env.shared.pager.borrow_mut(), conflict.rowid)?;
            if let Some(old) = old {
                writer.delete(env, conflict.rowid, &old)?;
            }
            return Ok(());
        }
        let columns = match (index, self.table.rowid_alias) {
            (Some(index), _) => index.describe(&self.table),
            (None, Some(alias)) => {
                format!("{}.{}", self.table.name, self.table.columns[alias].name)
            }
            (None, None) => format!("{}.rowid", self.table.name),
        };
        Err(self.stop(env, action, Error::Unique(columns)))
    }

    fn stop(&self, env: &Env<'_>, action: OnConflict, error: Error) -> Stop {
        if action == OnConflict::Ignore {
            return Stop::Skip;
        }
        env.shared.failed_with.set(action);
        Stop::Error(error)
    }
}

fn has_query(code: &Code) -> bool {
    let mut found = false;
    code.walk(&mut |code| found |= matches!(code, Code::Subquery(_)));
    found
}

/// A value as a rowid: NULL and what is no integer is none.
fn rowid_of(value: Value) -> Result<i64> {
    match super::super::affinity::Affinity::Integer.apply(Val::Own(value)).get() {
        ValueRef::Integer(rowid) => Ok(rowid),
        _ => Err(Error::Mismatch),
    }
}
