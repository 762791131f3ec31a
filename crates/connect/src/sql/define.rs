//! Views, tables and databases: made, changed and dropped.

use sheetbend_datasource::write::SaveMode;
use sheetbend_plan::environment::Environment;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{Read, Relation, RelationKind, Source};
use sheetbend_plan::resolver::resolve;
use sheetbend_plan::sql::{CreateTable, CreateView, ViewScope};

use super::Statements;
use crate::names::Found;
use crate::session::Session;
use crate::tables::{self, Database, Entry, StoredView, quoted, schema_not_found};
use crate::views::{View, temporary_name};
use crate::write::Writer;

impl Statements<'_> {
    pub(super) async fn create_view(&self, create: CreateView) -> Result<()> {
        let CreateView { name, scope, replace, if_not_exists, columns, query } = create;
        let session = self.session();
        let stored = match scope {
            ViewScope::Stored => Some(session.tables.new_name(&name)?),
            ViewScope::Temporary | ViewScope::Global => None,
        };
        if stored.is_some() && if_not_exists && session.tables.entry(&name).is_some() {
            return Ok(());
        }
        let query = self.with(query);
        let mut relation = match &stored {
            Some(name) => session.closed_for(name, query)?,
            None => session.closed(query)?,
        };
        let mut query = resolve(&relation, session).await?;
        let (names, comments): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        if !names.is_empty() {
            let found: Vec<_> = query.schema.fields().iter().map(|field| field.name().clone()).collect();
            check_count(&name, &names, &found)?;
            relation = RelationKind::ToDf { input: Box::new(relation), names }.into();
            query = resolve(&relation, session).await?;
        }
        let case_sensitive = session.settings().case_sensitive;
        check_names(query.schema.fields().iter().map(|field| field.name().as_str()), case_sensitive)?;
        if let Some(name) = stored {
            let view = StoredView { name, query: relation, schema: query.schema, comments };
            return session.tables.create(Entry::View(view), replace);
        }
        let view = View { comments, ..View::new(temporary_name(name), query, relation) };
        session.create_view(view, scope == ViewScope::Global, replace)
    }

    pub(super) async fn create_source_view(
        &self,
        name: Vec<String>,
        replace: bool,
        scope: ViewScope,
        source: Source,
    ) -> Result<()> {
        let relation = RelationKind::Read(Read::Source(source.clone())).into();
        let query = resolve(&relation, self.session()).await?;
        let view = View { source: Some(source), ..View::new(temporary_name(name), query, relation) };
        self.session().create_view(view, scope == ViewScope::Global, replace)
    }

    pub(super) async fn alter_view(&self, name: &[String], query: Relation) -> Result<()> {
        let scope = match self.session().get(name)? {
            Found::Temporary(_) => ViewScope::Temporary,
            Found::Global(_) => ViewScope::Global,
            Found::Stored(_) => ViewScope::Stored,
        };
        let (name, columns) = (name.to_vec(), Vec::new());
        self.create_view(CreateView { name, scope, replace: true, if_not_exists: false, columns, query }).await
    }

    pub(super) async fn create_table(&self, create: CreateTable) -> Result<()> {
        let CreateTable { name, if_not_exists, source, partition_by, query } = create;
        let (session, writer) = (self.session(), Writer(self.task));
        session.tables.new_name(&name)?;
        if if_not_exists && session.tables.entry(&name).is_some() {
            return Ok(());
        }
        if let Some(schema) = &source.schema {
            check_names(schema.fields().iter().map(|field| field.name().as_str()), session.settings().case_sensitive)?;
        }
        match query {
            None => writer.create_table(&name, source).await,
            Some(query) => {
                let query = session.resolve(&self.with(query)).await?;
                writer.save_as_table(query, &name, source, SaveMode::Error, partition_by).await
            }
        }
    }
}

impl Session {
    /// Creates a temporary view. Rows that were kept of the one in whose place it comes are forgotten.
    ///
    /// # Errors
    /// A name that is taken.
    pub(crate) fn create_view(&self, view: View, global: bool, replace: bool) -> Result<()> {
        if global {
            return self.globals.create(view, replace);
        }
        if replace && let Some(old) = self.views.get(&view.name) {
            self.forget(&old.relation)?;
        }
        self.views.create(view, replace)
    }

    /// Drops a temporary view and the rows that were kept of it; whether there was one.
    ///
    /// # Errors
    /// Text inside the view that does not parse.
    pub(crate) fn drop_view(&self, name: &str) -> Result<bool> {
        let Some(view) = self.views.get(name) else { return Ok(false) };
        self.forget(&view.relation)?;
        Ok(self.views.remove(name))
    }
}

/// A temporary view of the name is dropped in place of a table.
pub(super) fn drop(name: &[String], view: bool, if_exists: bool, session: &Session) -> Result<()> {
    match session.find(name) {
        Some(Found::Temporary(found)) => session.drop_view(&found.name).map(|_| ()),
        Some(Found::Global(found)) => {
            session.globals.remove(&found.name);
            Ok(())
        }
        Some(Found::Stored(Entry::Table(table))) if view => Err(tables::not_a_view(&table.name)),
        Some(Found::Stored(_)) => {
            session.forget(&Relation::table(name.iter().cloned()))?;
            session.tables.remove(name);
            Ok(())
        }
        None if if_exists => Ok(()),
        None => Err(session.not_found_in_database(name)),
    }
}

pub(super) fn rename(name: &[String], to: &[String], session: &Session) -> Result<()> {
    match session.get(name)? {
        Found::Temporary(view) => session.views.rename(&view.name, &temporary_name(to.to_vec())).map(|_| ()),
        Found::Global(view) => session.globals.rename(&view.name, &temporary_name(to.to_vec())).map(|_| ()),
        Found::Stored(entry) => {
            let new = session.tables.new_name(to)?;
            let entry = match entry {
                Entry::Table(table) => Entry::Table(tables::Table { name: new, ..table }),
                Entry::View(view) => Entry::View(StoredView { name: new, ..view }),
            };
            session.tables.create(entry, false)?;
            session.tables.remove(name);
            Ok(())
        }
    }
}

pub(super) fn create_database(
    name: &[String],
    if_not_exists: bool,
    comment: String,
    properties: Vec<(String, String)>,
    session: &Session,
) -> Result<()> {
    let name = match name {
        [name] => name.clone(),
        [catalog, name] if catalog.eq_ignore_ascii_case(tables::CATALOG) => name.clone(),
        _ => return Err(schema_not_found(name)),
    };
    session.tables.create_database(Database::new(name, comment, properties), if_not_exists)
}

/// There are no functions of users.
pub(super) fn drop_function(name: &[String], if_exists: bool, session: &Session) -> Result<()> {
    if if_exists {
        return Ok(());
    }
    let name = match name {
        [name] => quoted(&[session.tables.current(), name.clone()]),
        name => quoted(name),
    };
    let message = format!("The routine {name} cannot be found. Verify the spelling and correctness of the schema.");
    Err(SparkError::new(ErrorClass::Analysis, "ROUTINE_NOT_FOUND", "42883", message).with("routineName", name))
}

/// Why a statement that is about what a table holds is refused.
pub(super) fn of_table(operation: &str, name: &[String], session: &Session) -> SparkError {
    let found = match session.get(name) {
        Ok(found) => found,
        Err(error) => return error,
    };
    if operation == "UPDATE TABLE" {
        let message = format!("The feature is not supported: Table {} does not support {operation}.", quoted(name));
        let condition = "UNSUPPORTED_FEATURE.TABLE_OPERATION";
        return SparkError::new(ErrorClass::Unsupported, condition, "0A000", message)
            .with("operation", operation)
            .with("tableName", quoted(name));
    }
    match found {
        Found::Stored(Entry::Table(_)) => SparkError::unsupported(format!("the statement {operation}")),
        _ if matches!(operation, "ANALYZE TABLE" | "SHOW CREATE TABLE") && found.is_temporary() => {
            let message = format!("'{operation}' expects a permanent view but {} is a temp view.", quoted(name));
            SparkError::new(ErrorClass::Analysis, "EXPECT_PERMANENT_VIEW_NOT_TEMP", "42809", message)
                .with("operation", operation)
                .with("viewName", quoted(name))
        }
        _ => {
            let message = format!("'{operation}' expects a table but {} is a view.", quoted(name));
            SparkError::new(ErrorClass::Analysis, "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", message)
                .with("operation", operation)
                .with("viewName", quoted(name))
        }
    }
}

fn check_count(view: &[String], names: &[String], found: &[String]) -> Result<()> {
    let (kind, what) = match names.len().cmp(&found.len()) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Less => ("TOO_MANY_DATA_COLUMNS", "too many data columns"),
        std::cmp::Ordering::Greater => ("NOT_ENOUGH_DATA_COLUMNS", "not enough data columns"),
    };
    let list =
        |names: &[String]| names.iter().map(|name| quoted(std::slice::from_ref(name))).collect::<Vec<_>>().join(", ");
    let (view, names, found) = (quoted(view), list(names), list(found));
    let message =
        format!("Cannot create view {view}, the reason is {what}: View columns: {names}. Data columns: {found}.");
    let condition = format!("CREATE_VIEW_COLUMN_ARITY_MISMATCH.{kind}");
    Err(SparkError::new(ErrorClass::Analysis, &condition, "21S01", message)
        .with("viewName", view)
        .with("viewColumns", names)
        .with("dataColumns", found))
}

fn check_names<'a>(names: impl Iterator<Item = &'a str>, case_sensitive: bool) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        let key = if case_sensitive { name.to_owned() } else { name.to_lowercase() };
        let shown = quoted(std::slice::from_ref(&key));
        if !seen.insert(key) {
            let message =
                format!("The column {shown} already exists. Choose another name or rename the existing column.");
            return Err(SparkError::new(ErrorClass::Analysis, "COLUMN_ALREADY_EXISTS", "42711", message)
                .with("columnName", shown));
        }
    }
    Ok(())
}
