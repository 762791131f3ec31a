//! Rows that a session keeps: of `df.cache()`, `CACHE TABLE` and checkpoints.
//!
//! A relation is kept by its form: what the client sent, with SQL text parsed and views written out. Where the same form
//! appears again in a query, under the same settings, the rows that are there are read.

mod form;
mod kept;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::memory_pool::MemoryPool;
use futures::TryStreamExt;
use parking_lot::RwLock;
use sheetbend_plan::environment::{Environment, Resolved, Settings};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{Kept, Read, Relation, RelationKind, Source};
use sheetbend_plan::resolver::resolve;
use spark_connect_proto::StorageLevel;

pub(crate) use self::form::{anonymous, bare};
use self::kept::KeptTable;
use crate::failure;
use crate::operation::Task;
use crate::session::Session;

/// What `df.cache()` asks for.
pub(crate) const MEMORY_AND_DISK: StorageLevel =
    StorageLevel { use_disk: true, use_memory: true, use_off_heap: false, deserialized: true, replication: 1 };

/// What a session keeps.
///
/// Rows are dropped outside of the locks: to give those back that came from Python may take its interpreter.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: RwLock<Vec<Entry>>,
    checkpoints: RwLock<HashMap<String, Kept>>,
    memory: Arc<dyn MemoryPool>,
}

/// A relation whose rows are kept.
#[derive(Debug, Clone)]
struct Entry {
    form: Arc<Relation>,
    settings: Settings,
    level: StorageLevel,
    table: Arc<KeptTable>,
    kept: Kept,
}

/// A storage level by its name; without one, the usual one. Rows are kept in memory whatever it says.
///
/// # Errors
/// A name that none has.
pub(crate) fn level(name: Option<&str>) -> Result<StorageLevel> {
    let Some(name) = name else { return Ok(MEMORY_AND_DISK) };
    let upper = name.to_uppercase();
    let (base, replication) = match upper.strip_suffix("_2") {
        Some(base) => (base, 2),
        None => (upper.as_str(), 1),
    };
    let (use_disk, use_memory, use_off_heap, deserialized) = match base {
        "NONE" => (false, false, false, false),
        "DISK_ONLY" => (true, false, false, false),
        "MEMORY_ONLY" => (false, true, false, true),
        "MEMORY_ONLY_SER" => (false, true, false, false),
        "MEMORY_AND_DISK" => (true, true, false, true),
        "MEMORY_AND_DISK_SER" => (true, true, false, false),
        "OFF_HEAP" => (true, true, true, false),
        _ => {
            let message = format!("Invalid StorageLevel: {name}. Expected one such as MEMORY_AND_DISK or MEMORY_ONLY.");
            return Err(SparkError::new(ErrorClass::IllegalArgument, "INVALID_STORAGE_LEVEL", "22023", message));
        }
    };
    Ok(StorageLevel { use_disk, use_memory, use_off_heap, deserialized, replication })
}

/// Reads a relation to its end, so that the rows that are to be kept of it are there.
///
/// # Errors
/// A query that fails.
pub(crate) async fn fill(relation: &Relation, task: &Task) -> Result<()> {
    let deadline = task.time.map(|time| time.deadline);
    let mut rows = task.engine.plan(relation, &task.session, deadline).await?.start().await?;
    while rows.try_next().await.map_err(|e| failure::from_engine(&e))?.is_some() {}
    Ok(())
}

impl Cache {
    /// Nothing kept yet; rows take their memory from `memory`.
    pub(crate) fn new(memory: Arc<dyn MemoryPool>) -> Self {
        Self { entries: RwLock::default(), checkpoints: RwLock::default(), memory }
    }

    /// Forgets a checkpoint.
    pub(crate) fn remove_checkpoint(&self, id: &str) {
        let removed = self.checkpoints.write().remove(id);
        drop(removed);
    }

    /// The rows of a checkpoint.
    ///
    /// # Errors
    /// An id that none has.
    pub(crate) fn checkpoint(&self, id: &str) -> Result<Kept> {
        self.checkpoints.read().get(id).cloned().ok_or_else(|| {
            let message = format!("No DataFrame with id {id} is found in the session. It was removed or never there.");
            SparkError::new(ErrorClass::Internal, "INTERNAL_ERROR", "XX000", message)
        })
    }

    /// Forgets the rows of every relation that reads `source`, which was written to. They are made again.
    pub(crate) fn changed(&self, source: &Source, session: &Session) {
        for entry in self.entries.read().iter() {
            if form::reads(&entry.form, &mut |read| is_source(read, source, session)) {
                entry.table.forget();
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let entries = std::mem::take(&mut *self.entries.write());
        drop(entries);
    }

    /// Forgets everything, checkpoints too.
    pub(crate) fn close(&self) {
        self.clear();
        let checkpoints = std::mem::take(&mut *self.checkpoints.write());
        drop(checkpoints);
    }

    fn find(&self, form: &Relation, settings: &Settings) -> Option<Entry> {
        let entries = self.entries.read();
        entries.iter().find(|entry| *entry.form == *form && entry.settings == *settings).cloned()
    }
}

/// Whether what is read is `source`. Of a stored view it is not known here, so it may be.
fn is_source(read: &Read, source: &Source, session: &Session) -> bool {
    let same = |known: &Source| {
        known.format.eq_ignore_ascii_case(&source.format)
            && known.options == source.options
            && known.paths == source.paths
    };
    match read {
        Read::Source(known) => same(known),
        Read::Table(name) => session.tables.get(name).is_none_or(|table| same(&table.source)),
    }
}

impl Session {
    /// The meaning of a relation; parts of it whose rows are kept are read from there.
    ///
    /// # Errors
    /// As [`resolve`].
    pub(crate) async fn resolve(&self, relation: &Relation) -> Result<Resolved> {
        let applied = self.with_kept(relation)?;
        resolve(applied.as_ref().unwrap_or(relation), self).await
    }

    /// Has the rows of a relation kept from when they are first read.
    ///
    /// # Errors
    /// As [`resolve`].
    pub(crate) async fn keep(&self, relation: &Relation, level: StorageLevel) -> Result<()> {
        let (form, settings) = (self.form(relation)?, self.settings());
        if self.cache.find(&form, &settings).is_some() {
            return Ok(());
        }
        let (table, kept) = self.kept(relation).await?;
        let entry = Entry { form: Arc::new(form), settings, level, table, kept };
        self.cache.entries.write().push(entry);
        Ok(())
    }

    /// Keeps the rows of a relation apart from where they come from, under a new id. They are not read yet.
    ///
    /// # Errors
    /// As [`resolve`].
    pub(crate) async fn keep_checkpoint(&self, relation: &Relation) -> Result<(String, Relation)> {
        let (_, kept) = self.kept(relation).await?;
        let id = uuid::Uuid::new_v4().to_string();
        self.cache.checkpoints.write().insert(id.clone(), kept.clone());
        Ok((id, RelationKind::Kept { rows: kept, of: None }.into()))
    }

    /// Keeps the rows no more.
    ///
    /// # Errors
    /// Text that does not parse.
    pub(crate) fn forget(&self, relation: &Relation) -> Result<()> {
        let form = self.form(relation)?;
        self.cache.entries.write().retain(|entry| *entry.form != form);
        Ok(())
    }

    /// How the rows of a relation are kept; none if they are not.
    ///
    /// # Errors
    /// Text that does not parse.
    pub(crate) fn level(&self, relation: &Relation) -> Result<Option<StorageLevel>> {
        Ok(self.cache.find(&self.form(relation)?, &self.settings()).map(|entry| entry.level))
    }

    /// Has kept rows of a table or view made again.
    ///
    /// # Errors
    /// Text that does not parse.
    pub(crate) fn refresh(&self, relation: &Relation) -> Result<()> {
        if let Some(entry) = self.cache.find(&self.form(relation)?, &self.settings()) {
            entry.table.forget();
        }
        Ok(())
    }

    async fn kept(&self, relation: &Relation) -> Result<(Arc<KeptTable>, Kept)> {
        let Resolved { plan, schema } = self.resolve(relation).await?;
        let table = Arc::new(KeptTable::new(plan, Arc::clone(&self.cache.memory)));
        let kept = Kept { table: Arc::clone(&table) as Arc<dyn TableProvider>, schema };
        Ok((table, kept))
    }

    fn form(&self, relation: &Relation) -> Result<Relation> {
        Ok(bare(anonymous(self.closed(relation.clone())?)))
    }

    /// The relation with kept rows in place of what they are of; none where there are none.
    fn with_kept(&self, relation: &Relation) -> Result<Option<Relation>> {
        if self.cache.entries.read().is_empty() {
            return Ok(None);
        }
        let settings = self.settings();
        let mut entries = self.cache.entries.read().clone();
        entries.retain(|entry| entry.settings == settings);
        let mut closed = self.closed(relation.clone())?;
        let mut form = anonymous(closed.clone());
        let found = form::replace(&mut closed, &mut form, &|form| {
            entries.iter().find(|entry| *entry.form == *form).map(|entry| entry.kept.clone())
        });
        Ok(found.then_some(closed))
    }
}
