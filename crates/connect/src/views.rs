//! The temporary views of a session.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use sheetbend_plan::environment::Resolved;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::Source;

/// Views by name without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Views(RwLock<BTreeMap<String, View>>);

/// A temporary view.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// The name as written.
    name: String,
    query: Arc<Resolved>,
    /// What rows that are inserted are written to; none where the view is a query.
    pub(crate) source: Option<Source>,
}

impl View {
    /// A view of a query.
    pub(crate) fn of_query(name: String, query: Resolved) -> Self {
        Self { name, query: Arc::new(query), source: None }
    }

    /// A view of a source, which `query` reads.
    pub(crate) fn of_source(name: String, query: Resolved, source: Source) -> Self {
        Self { source: Some(source), ..Self::of_query(name, query) }
    }
}

impl Clone for Views {
    fn clone(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }
}

impl Views {
    /// The query of the view of this name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Resolved>> {
        self.find(name).map(|view| view.query)
    }

    /// The view of this name, with its source.
    pub(crate) fn find(&self, name: &str) -> Option<View> {
        self.0.read().get(&name.to_lowercase()).cloned()
    }

    /// Creates a view.
    ///
    /// # Errors
    /// `TEMP_TABLE_OR_VIEW_ALREADY_EXISTS` if there is one and `replace` is not asked for.
    pub(crate) fn create(&self, view: View, replace: bool) -> Result<()> {
        let name = &view.name;
        let mut views = self.0.write();
        let key = name.to_lowercase();
        if !replace && views.contains_key(&key) {
            return Err(SparkError::new(
                ErrorClass::Analysis,
                "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
                "42P07",
                format!(
                    "Cannot create the temporary view `{name}` because it already exists. Choose a different name, drop \
                     the existing view, or replace it."
                ),
            )
            .with("relationName", format!("`{name}`")));
        }
        views.insert(key, view);
        Ok(())
    }

    /// Drops a view; whether there was one.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.0.write().remove(&name.to_lowercase()).is_some()
    }

    /// The names as written, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.read().values().map(|view| view.name.clone()).collect()
    }

    /// Drops all.
    pub(crate) fn clear(&self) {
        self.0.write().clear();
    }
}

/// The name of a temporary view, which stands in no database.
///
/// # Errors
/// More than one part.
pub(crate) fn temporary_name(parts: Vec<String>) -> Result<String> {
    <[String; 1]>::try_from(parts).map(|[name]| name).map_err(|parts| {
        let name = parts.join(".");
        SparkError::new(
            ErrorClass::Analysis,
            "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS",
            "428EK",
            format!("A temporary view has a name of one part; `{name}` has {}.", parts.len()),
        )
        .with("actualName", name)
    })
}

/// The error for a view that is not there.
pub(crate) fn not_found(name: &str) -> SparkError {
    SparkError::new(
        ErrorClass::Analysis,
        "TABLE_OR_VIEW_NOT_FOUND",
        "42P01",
        format!(
            "The table or view `{name}` cannot be found. Verify the spelling, and that it was created in this session."
        ),
    )
    .with("relationName", format!("`{name}`"))
}
