//! Temporary views: those of a session, and those that all sessions share.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use sheetbend_plan::environment::Resolved;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{Relation, Source};

/// Views by name without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Views(RwLock<BTreeMap<String, View>>);

/// A temporary view.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// The name as written.
    pub(crate) name: String,
    /// What the view stands for.
    pub(crate) query: Arc<Resolved>,
    /// The same before it had its meaning, with the views that it reads written out.
    pub(crate) relation: Arc<Relation>,
    /// The query of SQL text, which is given its meaning anew each time; none for a view of a data frame.
    pub(crate) text: Option<Arc<Relation>>,
    /// What rows that are inserted are written to; none where the view is a query.
    pub(crate) source: Option<Source>,
    /// The comments of the columns; empty for none.
    pub(crate) comments: Vec<Option<String>>,
}

impl View {
    /// A view of a query.
    pub(crate) fn new(name: String, query: Resolved, relation: Relation) -> Self {
        Self {
            name,
            query: Arc::new(query),
            relation: Arc::new(relation),
            text: None,
            source: None,
            comments: Vec::new(),
        }
    }
}

impl Clone for Views {
    fn clone(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }
}

impl Views {
    /// The view of this name.
    pub(crate) fn get(&self, name: &str) -> Option<View> {
        self.0.read().get(&name.to_lowercase()).cloned()
    }

    /// Creates a view.
    ///
    /// # Errors
    /// `TEMP_TABLE_OR_VIEW_ALREADY_EXISTS` if there is one and `replace` is not asked for.
    pub(crate) fn create(&self, view: View, replace: bool) -> Result<()> {
        let mut views = self.0.write();
        let key = view.name.to_lowercase();
        if !replace && views.contains_key(&key) {
            return Err(already_exists(&view.name));
        }
        views.insert(key, view);
        Ok(())
    }

    /// Gives a view another name; whether there was one.
    ///
    /// # Errors
    /// `TEMP_TABLE_OR_VIEW_ALREADY_EXISTS` if the new name is taken.
    pub(crate) fn rename(&self, name: &str, to: &str) -> Result<bool> {
        let mut views = self.0.write();
        if !views.contains_key(&name.to_lowercase()) {
            return Ok(false);
        }
        if views.contains_key(&to.to_lowercase()) {
            return Err(already_exists(to));
        }
        if let Some(view) = views.remove(&name.to_lowercase()) {
            views.insert(to.to_lowercase(), View { name: to.to_owned(), ..view });
        }
        Ok(true)
    }

    /// Drops a view; whether there was one.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.0.write().remove(&name.to_lowercase()).is_some()
    }

    /// All views, in the order of their names.
    pub(crate) fn list(&self) -> Vec<View> {
        self.0.read().values().cloned().collect()
    }

    /// Drops all.
    pub(crate) fn clear(&self) {
        self.0.write().clear();
    }
}

/// The name of a temporary view, which stands in no database: what stands before it is passed over, as in Spark.
pub(crate) fn temporary_name(mut parts: Vec<String>) -> String {
    parts.pop().unwrap_or_default()
}

fn already_exists(name: &str) -> SparkError {
    SparkError::new(
        ErrorClass::Analysis,
        "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
        "42P07",
        format!(
            "Cannot create the temporary view `{name}` because it already exists. Choose a different name, drop the \
             existing view, or replace it."
        ),
    )
    .with("relationName", format!("`{name}`"))
}
