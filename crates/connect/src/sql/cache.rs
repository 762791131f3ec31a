//! `CACHE TABLE` and what goes with it.

use std::collections::BTreeMap;

use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::Relation;
use sheetbend_plan::sql::{CreateView, ViewScope};

use super::Statements;
use crate::cache;
use crate::session::Session;

impl Statements<'_> {
    pub(super) async fn cache(
        &self,
        name: &[String],
        query: Option<Relation>,
        lazy: bool,
        level: Option<&str>,
    ) -> Result<()> {
        let level = cache::level(level)?;
        if let Some(query) = query {
            let create = CreateView {
                name: name.to_vec(),
                scope: ViewScope::Temporary,
                replace: false,
                if_not_exists: false,
                columns: Vec::new(),
                comment: None,
                properties: BTreeMap::new(),
                query,
                text: String::new(),
            };
            self.create_view(create).await?;
        }
        self.session().get(name)?;
        let table = Relation::table(name.iter().cloned());
        self.session().keep(&table, level).await?;
        if lazy { Ok(()) } else { cache::fill(&table, self.task).await }
    }
}

pub(super) fn uncache(name: Vec<String>, if_exists: bool, session: &Session) -> Result<()> {
    match session.get(&name) {
        Ok(_) => session.forget(&Relation::table(name)),
        Err(_) if if_exists => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) fn refresh(name: Vec<String>, session: &Session) -> Result<()> {
    session.get(&name)?;
    session.refresh(&Relation::table(name))
}

/// The error for a function that is to be read again: those of the engine never change.
pub(super) fn not_refreshed(name: &[String], session: &Session) -> SparkError {
    if crate::catalog::function(name).is_none() {
        return crate::catalog::no_function(name, session);
    }
    let name = name.join(".");
    let message = format!("Cannot refresh built-in function {name}.");
    SparkError::new(ErrorClass::Analysis, "_LEGACY_ERROR_TEMP_1256", "", message).with("functionName", name)
}
