//! Views, tables and databases: made, changed and dropped.

use std::sync::Arc;

use sheetbend_datasource::write::SaveMode;
use sheetbend_plan::environment::Environment;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{InsertColumns, Read, Relation, RelationKind, Source};
use sheetbend_plan::resolver::resolve;
use sheetbend_plan::sql::{CreateTable, CreateTableLike, CreateView, ViewScope};

use super::Statements;
use crate::environment::WithoutVariables;
use crate::names::{Found, temporary_reference};
use crate::session::Session;
use crate::tables::{self, Database, Details, Entry, Name, StoredView, quoted, schema_not_found};
use crate::views::{View, temporary_name};
use crate::write::Writer;

impl Statements<'_> {
    pub(super) async fn create_view(&self, create: CreateView) -> Result<()> {
        let CreateView { name, scope, replace, if_not_exists, columns, comment, properties, query, text } = create;
        let session = self.session();
        let stored = match scope {
            ViewScope::Stored => Some(session.tables.new_name(&name)?),
            ViewScope::Temporary | ViewScope::Global => None,
        };
        if stored.is_some() && if_not_exists && session.tables.entry(&name).is_some() {
            return Ok(());
        }
        let query = self.with(query);
        let temporary = temporary_name(name.clone());
        let (mut relation, mut live) = match (&stored, scope) {
            (Some(name), _) => (session.closed_for("VIEW", &name.quoted(), query)?, None),
            (None, ViewScope::Temporary) => {
                session.closed_view(&temporary, query).map(|(closed, live)| (closed, Some(live)))?
            }
            (None, _) => (session.closed(query)?, None),
        };
        let mut query = resolve(&relation, session).await?;
        if let Some(name) = &stored {
            no_variables(name, &relation, session).await?;
        }
        let (names, comments): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        if !names.is_empty() {
            let found: Vec<_> = query.schema.fields().iter().map(|field| field.name().clone()).collect();
            check_count(&name, &names, &found)?;
            let named = |input, names| RelationKind::ToDf { input: Box::new(input), names }.into();
            live = live.map(|live| named(live, names.clone()));
            relation = named(relation, names);
            query = resolve(&relation, session).await?;
        }
        let case_sensitive = session.settings().case_sensitive;
        check_names(query.schema.fields().iter().map(|field| field.name().as_str()), case_sensitive)?;
        if let Some(name) = stored {
            let details = Details { comment, properties, ..Details::default() };
            let view = StoredView { name, query: Box::new(relation), schema: query.schema, comments, text, details };
            return session.tables.create(Entry::View(view), replace);
        }
        let text = live.map(Arc::new);
        let view = View { comments, text, ..View::new(temporary, query, relation) };
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

    pub(super) async fn alter_view(&self, name: &[String], query: Relation, text: String) -> Result<()> {
        let (scope, details) = match self.session().get(name)? {
            Found::Temporary(_) => (ViewScope::Temporary, Details::default()),
            Found::Global(_) => (ViewScope::Global, Details::default()),
            Found::Stored(entry) => (ViewScope::Stored, entry.details().clone()),
        };
        let Details { comment, properties, .. } = details;
        let (name, columns, if_not_exists) = (name.to_vec(), Vec::new(), false);
        let create =
            CreateView { name, scope, replace: true, if_not_exists, columns, comment, properties, query, text };
        self.create_view(create).await
    }

    pub(super) async fn create_table(&self, create: CreateTable) -> Result<()> {
        let CreateTable { name, if_not_exists, mut source, partition_by, comment, properties, query } = create;
        let (session, writer) = (self.session(), Writer(self.task));
        session.tables.new_name(&name)?;
        if if_not_exists && session.tables.entry(&name).is_some() {
            return Ok(());
        }
        if let Some(schema) = &source.schema {
            check_names(schema.fields().iter().map(|field| field.name().as_str()), session.settings().case_sensitive)?;
        }
        source.format = session.format_or_default(Some(source.format))?;
        let details = Details { partition_by, comment, properties };
        match query {
            None => writer.create_table(&name, source, details).await,
            Some(query) => {
                let query = session.resolve(&self.with(query)).await?;
                let names = query.schema.fields().iter().map(|field| field.name().as_str());
                check_names(names, session.settings().case_sensitive)?;
                writer.save_as_table(query, &name, source, SaveMode::Error, details).await
            }
        }
    }

    pub(super) async fn create_table_like(&self, create: CreateTableLike) -> Result<()> {
        let CreateTableLike { name, like, if_not_exists, format, paths, properties } = create;
        let session = self.session();
        let found = session.get(&like)?;
        session.tables.new_name(&name)?;
        if if_not_exists && session.tables.entry(&name).is_some() {
            return Ok(());
        }
        let (known, details) = match &found {
            Found::Stored(Entry::Table(table)) => (Some(table.source.format.clone()), table.details.clone()),
            _ => (None, Details::default()),
        };
        let format = session.format_or_default(format.or(known))?;
        let source = Source { format, paths, schema: Some(found.schema()), ..Source::default() };
        let details = Details { properties, comment: None, ..details };
        Writer(self.task).create_table(&name, source, details).await
    }

    /// Rows of none in the place of all.
    pub(super) async fn truncate(&self, name: &[String]) -> Result<()> {
        let session = self.session();
        let table = match session.get(name)? {
            Found::Stored(Entry::Table(table)) => table,
            _ => return Err(of_table("TRUNCATE TABLE", name, session)),
        };
        let nothing = RelationKind::Local { schema: table.schema, batches: Vec::new() }.into();
        let nothing = session.resolve(&nothing).await?;
        Writer(self.task).insert(nothing, name, &InsertColumns::Position, true).await
    }
}

/// Sees that a view to be stored means the same without the session's variables.
async fn no_variables(view: &Name, relation: &Relation, session: &Session) -> Result<()> {
    if session.variables().is_empty() {
        return Ok(());
    }
    match resolve(relation, &WithoutVariables(session)).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let name = error.parameters.get("objectName").map_or("", |name| name.trim_matches('`'));
            Err(temporary_reference(("VIEW", &view.quoted()), ("VARIABLE", name)))
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
        if replace && self.views.get(&view.name).is_some() {
            self.forget(&Relation::table([view.name.clone()]))?;
        }
        self.views.create(view, replace)
    }

    /// Drops a temporary view and the rows that were kept of it; whether there was one.
    ///
    /// # Errors
    /// Text inside the view that does not parse.
    pub(crate) fn drop_view(&self, name: &str) -> Result<bool> {
        if self.views.get(name).is_none() {
            return Ok(false);
        }
        self.forget(&Relation::table([name.to_owned()]))?;
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
        Some(Found::Stored(entry)) => {
            session.forget(&Relation::table(name.iter().cloned()))?;
            session.tables.remove(name);
            session.remove_files(&entry)
        }
        None if if_exists => Ok(()),
        None => Err(session.not_found_in_database(name)),
    }
}

pub(super) fn rename(name: &[String], view: bool, to: &[String], session: &Session) -> Result<()> {
    match session.get(name)? {
        found if found.is_view() != view => Err(of_other_kind(name, view)),
        Found::Temporary(view) => session.views.rename(&view.name, &temporary_name(to.to_vec())).map(|_| ()),
        Found::Global(view) => session.globals.rename(&view.name, &temporary_name(to.to_vec())).map(|_| ()),
        Found::Stored(entry) => {
            let new = session.tables.new_name(to)?;
            if session.tables.entry(to).is_some() {
                return Err(tables::already_exists(&new));
            }
            let entry = match entry {
                Entry::Table(table) => Entry::Table(session.moved(table, new)?),
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

/// Takes a database away, and what is in it where that goes too.
pub(super) fn drop_database(name: &[String], cascade: bool, session: &Session) -> Result<()> {
    let database = session.tables.database(name)?;
    let entries = session.tables.list(&database.name);
    session.tables.drop_database(name, cascade)?;
    session.functions.remove_all(&database.name);
    entries.iter().try_for_each(|entry| session.remove_files(entry))
}

/// The error for a table where a view is meant, or the other way round.
pub(super) fn of_other_kind(name: &[String], view: bool) -> SparkError {
    let name = quoted(name);
    let (condition, operation, message) = match view {
        true => (
            "EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE",
            "ALTER VIEW",
            format!("The table {name} does not support ALTER VIEW. Please use ALTER TABLE instead."),
        ),
        false => (
            "EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW",
            "ALTER TABLE",
            format!("'ALTER TABLE' expects a table but {name} is a view. Please use ALTER VIEW instead."),
        ),
    };
    SparkError::new(ErrorClass::Analysis, condition, "42809", message)
        .with(if view { "tableName" } else { "viewName" }, name)
        .with("operation", operation)
}

/// What tables of Spark's own catalogue do not do.
const REFUSED: [&str; 4] = ["DROP COLUMN", "RENAME COLUMN", "REPLACE COLUMNS", "DELETE"];

/// Whether there is nothing to do: what is known of a table comes from its files.
pub(super) fn is_done(operation: &str, name: &[String], session: &Session) -> bool {
    operation == "ANALYZE TABLE" && matches!(session.get(name), Ok(Found::Stored(Entry::Table(_))))
}

/// Why a statement that is about what a table holds is refused.
pub(super) fn of_table(operation: &str, name: &[String], session: &Session) -> SparkError {
    let found = match session.get(name) {
        Ok(found) => found,
        Err(error) => return error,
    };
    let is_table = matches!(found, Found::Stored(Entry::Table(_)));
    if operation == "UPDATE TABLE" || is_table && REFUSED.contains(&operation) {
        let message = format!("The feature is not supported: Table {} does not support {operation}.", quoted(name));
        let condition = "UNSUPPORTED_FEATURE.TABLE_OPERATION";
        let class = if operation == "UPDATE TABLE" { ErrorClass::Unsupported } else { ErrorClass::Analysis };
        return SparkError::new(class, condition, "0A000", message)
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
