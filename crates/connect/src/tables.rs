//! The databases of a session: tables, which are names for sources, and stored views, in the one catalogue.

use std::collections::{BTreeMap, btree_map};

use arrow::datatypes::SchemaRef;
use parking_lot::RwLock;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{Relation, Source};

pub(crate) const CATALOG: &str = "spark_catalog";
pub(crate) const DATABASE: &str = "default";
/// Where global temporary views stand.
pub(crate) const GLOBAL: &str = "global_temp";

/// The databases of a session by name without regard to case.
#[derive(Debug, Clone)]
struct State {
    current: String,
    databases: BTreeMap<String, Database>,
}

/// The databases of a session.
#[derive(Debug, Default)]
pub(crate) struct Tables(RwLock<State>);

/// A database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// The name as written.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) comment: String,
    /// Its properties in order.
    pub(crate) properties: Vec<(String, String)>,
    entries: BTreeMap<String, Entry>,
}

/// Where a table or view stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) database: String,
    pub(crate) name: String,
}

/// What stands in a database.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// A table.
    Table(Table),
    /// A view.
    View(StoredView),
}

/// A name for a source.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The name as written.
    pub(crate) name: Name,
    /// What it reads, and is written to.
    pub(crate) source: Source,
    /// Its columns when it was created.
    pub(crate) schema: SchemaRef,
    /// What else is known of it.
    pub(crate) details: Details,
    /// Its files lie in the warehouse, are the session's, and go with it.
    pub(crate) managed: bool,
}

/// What a user says of a table or view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    /// The columns whose values are names of folders.
    pub(crate) partition_by: Vec<String>,
    /// What it is for.
    pub(crate) comment: Option<String>,
    /// Its properties.
    pub(crate) properties: BTreeMap<String, String>,
}

/// A query that stands in a database.
#[derive(Debug, Clone)]
pub(crate) struct StoredView {
    /// The name as written.
    pub(crate) name: Name,
    /// The query; its tables are named with their databases.
    pub(crate) query: Box<Relation>,
    /// Its columns when it was created.
    pub(crate) schema: SchemaRef,
    /// The comments of the columns.
    pub(crate) comments: Vec<Option<String>>,
    /// The query as it is written.
    pub(crate) text: String,
    /// What else is known of it.
    pub(crate) details: Details,
}

impl Database {
    /// A database that holds nothing yet.
    pub(crate) fn new(name: String, comment: String, properties: Vec<(String, String)>) -> Self {
        Self { name, comment, properties, entries: BTreeMap::new() }
    }
}

impl Name {
    /// As messages show it.
    pub(crate) fn quoted(&self) -> String {
        quoted(&[CATALOG.to_owned(), self.database.clone(), self.name.clone()])
    }
}

impl Entry {
    /// Where it stands.
    pub(crate) fn name(&self) -> &Name {
        match self {
            Self::Table(table) => &table.name,
            Self::View(view) => &view.name,
        }
    }

    /// What else is known of it.
    pub(crate) fn details(&self) -> &Details {
        match self {
            Self::Table(table) => &table.details,
            Self::View(view) => &view.details,
        }
    }

    /// The same, to change it.
    pub(crate) fn details_mut(&mut self) -> &mut Details {
        match self {
            Self::Table(table) => &mut table.details,
            Self::View(view) => &mut view.details,
        }
    }

    /// Its columns when it was created.
    pub(crate) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Table(table) => &table.schema,
            Self::View(view) => &view.schema,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        let comment = "default database".to_owned();
        let default = Database::new(DATABASE.to_owned(), comment, Vec::new());
        Self { current: DATABASE.to_owned(), databases: BTreeMap::from([(DATABASE.to_owned(), default)]) }
    }
}

impl Clone for Tables {
    fn clone(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }
}

impl State {
    /// The database and the name that the parts of a name mean; none for another catalogue.
    fn place<'a>(&'a self, parts: &'a [String]) -> Option<(&'a str, &'a str)> {
        match parts {
            [name] => Some((&self.current, name)),
            [database, name] => Some((database, name)),
            [catalog, database, name] if catalog.eq_ignore_ascii_case(CATALOG) => Some((database, name)),
            _ => None,
        }
    }

    fn entry(&self, parts: &[String]) -> Option<&Entry> {
        let (database, name) = self.place(parts)?;
        self.databases.get(&database.to_lowercase())?.entries.get(&name.to_lowercase())
    }
}

impl Tables {
    /// The table of a name with or without its database and catalogue.
    pub(crate) fn get(&self, parts: &[String]) -> Option<Table> {
        match self.entry(parts)? {
            Entry::Table(table) => Some(table),
            Entry::View(_) => None,
        }
    }

    /// The table or view of such a name.
    pub(crate) fn entry(&self, parts: &[String]) -> Option<Entry> {
        self.0.read().entry(parts).cloned()
    }

    /// Where a table or view of this name is to stand.
    ///
    /// # Errors
    /// `SCHEMA_NOT_FOUND` for a database that is not there.
    pub(crate) fn new_name(&self, parts: &[String]) -> Result<Name> {
        let state = self.0.read();
        let place = state.place(parts).and_then(|(database, name)| {
            let database = state.databases.get(&database.to_lowercase())?.name.clone();
            Some(Name { database, name: name.to_owned() })
        });
        place.ok_or_else(|| schema_not_found(&parts[..parts.len().saturating_sub(1)]))
    }

    /// Adds a table or view.
    ///
    /// # Errors
    /// `TABLE_OR_VIEW_ALREADY_EXISTS` if there is one and `replace` is not asked for.
    pub(crate) fn create(&self, entry: Entry, replace: bool) -> Result<()> {
        let mut state = self.0.write();
        let Name { database, name } = entry.name().clone();
        let found = state.databases.get_mut(&database.to_lowercase());
        let entries = &mut found.ok_or_else(|| schema_not_found(std::slice::from_ref(&database)))?.entries;
        if !replace && entries.contains_key(&name.to_lowercase()) {
            return Err(already_exists(entry.name()));
        }
        entries.insert(name.to_lowercase(), entry);
        Ok(())
    }

    /// Forgets a table or view; whether there was one. What a source holds stays.
    pub(crate) fn remove(&self, parts: &[String]) -> bool {
        let mut state = self.0.write();
        let Some((database, name)) = state.place(parts) else { return false };
        let (database, name) = (database.to_lowercase(), name.to_lowercase());
        state.databases.get_mut(&database).is_some_and(|database| database.entries.remove(&name).is_some())
    }

    /// The tables and views of a database, in the order of their names.
    pub(crate) fn list(&self, database: &str) -> Vec<Entry> {
        let state = self.0.read();
        let found = state.databases.get(&database.to_lowercase());
        found.map_or_else(Vec::new, |database| database.entries.values().cloned().collect())
    }

    /// The name of the database that names without one are looked up in.
    pub(crate) fn current(&self) -> String {
        self.0.read().current.clone()
    }

    /// Makes a database the current one.
    ///
    /// # Errors
    /// `SCHEMA_NOT_FOUND`.
    pub(crate) fn set_current(&self, parts: &[String]) -> Result<()> {
        // The catalogue alone means what it began with.
        if let [catalog] = parts
            && catalog.eq_ignore_ascii_case(CATALOG)
            && self.database(parts).is_err()
        {
            return Ok(());
        }
        let name = self.database(parts)?.name;
        self.0.write().current = name;
        Ok(())
    }

    /// The database of a name with or without its catalogue.
    ///
    /// # Errors
    /// `SCHEMA_NOT_FOUND`.
    pub(crate) fn database(&self, parts: &[String]) -> Result<Database> {
        let name = match parts {
            [name] => Some(name),
            [catalog, name] if catalog.eq_ignore_ascii_case(CATALOG) => Some(name),
            _ => None,
        };
        let found = name.and_then(|name| self.0.read().databases.get(&name.to_lowercase()).cloned());
        found.ok_or_else(|| schema_not_found(parts))
    }

    /// Changes a database.
    ///
    /// # Errors
    /// `SCHEMA_NOT_FOUND`.
    pub(crate) fn change_database(&self, parts: &[String], change: impl FnOnce(&mut Database)) -> Result<()> {
        let name = self.database(parts)?.name;
        if let Some(database) = self.0.write().databases.get_mut(&name.to_lowercase()) {
            change(database);
        }
        Ok(())
    }

    /// All databases, in the order of their names.
    pub(crate) fn databases(&self) -> Vec<Database> {
        self.0.read().databases.values().cloned().collect()
    }

    /// Adds a database.
    ///
    /// # Errors
    /// `SCHEMA_ALREADY_EXISTS`.
    pub(crate) fn create_database(&self, database: Database, if_not_exists: bool) -> Result<()> {
        if database.name.eq_ignore_ascii_case(GLOBAL) {
            let message =
                format!("{GLOBAL} is a system preserved database, you cannot create a database with this name.");
            return Err(SparkError::new(ErrorClass::Analysis, "_LEGACY_ERROR_TEMP_1066", "", message)
                .with("database", database.name));
        }
        match self.0.write().databases.entry(database.name.to_lowercase()) {
            btree_map::Entry::Vacant(place) => {
                place.insert(database);
                Ok(())
            }
            btree_map::Entry::Occupied(_) if if_not_exists => Ok(()),
            btree_map::Entry::Occupied(_) => {
                let name = quoted(&[database.name]);
                let message = format!("Cannot create schema {name} because it already exists.");
                Err(SparkError::new(ErrorClass::Analysis, "SCHEMA_ALREADY_EXISTS", "42P06", message)
                    .with("schemaName", name))
            }
        }
    }

    /// Takes a database away.
    ///
    /// # Errors
    /// One that is not there, that is the default one, or that holds something and `cascade` is not asked for.
    pub(crate) fn drop_database(&self, parts: &[String], cascade: bool) -> Result<()> {
        let database = self.database(parts)?;
        if database.name == DATABASE {
            let name = quoted(&[CATALOG.to_owned(), database.name]);
            let message = format!("The feature is not supported: Drop the default database {name}.");
            let condition = "UNSUPPORTED_FEATURE.DROP_DATABASE";
            return Err(SparkError::new(ErrorClass::Analysis, condition, "0A000", message).with("database", name));
        }
        if !database.entries.is_empty() && !cascade {
            let name = quoted(&[database.name]);
            let message =
                format!("Cannot drop a schema {name} because it contains objects. Use DROP SCHEMA ... CASCADE.");
            return Err(
                SparkError::new(ErrorClass::Analysis, "SCHEMA_NOT_EMPTY", "2BP01", message).with("schemaName", name)
            );
        }
        let mut state = self.0.write();
        state.databases.remove(&database.name.to_lowercase());
        if state.current.eq_ignore_ascii_case(&database.name) {
            state.current = DATABASE.to_owned();
        }
        Ok(())
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        *self.0.write() = State::default();
    }
}

/// Parts of a name in backticks.
pub(crate) fn quoted(parts: &[String]) -> String {
    parts.iter().map(|part| format!("`{}`", part.replace('`', "``"))).collect::<Vec<_>>().join(".")
}

/// The error for a database that is not there.
pub(crate) fn schema_not_found(parts: &[String]) -> SparkError {
    let name = match parts {
        [catalog, _, ..] if catalog.eq_ignore_ascii_case(CATALOG) => quoted(parts),
        _ => format!("`{CATALOG}`.{}", quoted(parts)),
    };
    let message = format!(
        "The schema {name} cannot be found. Verify the spelling and correctness of the schema and catalog. To tolerate \
         the error on drop use DROP SCHEMA IF EXISTS."
    );
    SparkError::new(ErrorClass::Analysis, "SCHEMA_NOT_FOUND", "42704", message).with("schemaName", name)
}

/// The error for a catalogue that is not there.
pub(crate) fn catalog_not_found(name: &str) -> SparkError {
    let config = format!("\"spark.sql.catalog.{name}\"");
    let message = format!("The catalog `{name}` not found. There is one: `{CATALOG}`.");
    SparkError::new(ErrorClass::Internal, "CATALOG_NOT_FOUND", "42P08", message)
        .with("catalogName", format!("`{name}`"))
        .with("config", config)
}

/// The error for a table that is there already.
pub(crate) fn already_exists(name: &Name) -> SparkError {
    let name = name.quoted();
    let message = format!(
        "Cannot create table or view {name} because it already exists. Choose a different name, drop or replace the \
         existing object, or add the IF NOT EXISTS clause to tolerate pre-existing objects."
    );
    SparkError::new(ErrorClass::Analysis, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", message).with("relationName", name)
}

/// The error for a table where a view is meant.
pub(crate) fn not_a_view(name: &Name) -> SparkError {
    let name = format!("{CATALOG}.{}.{}", name.database, name.name);
    let message = format!(
        "The operation DROP VIEW requires a VIEW or METRIC_VIEW. But {name} is a MANAGED. Use DROP TABLE instead."
    );
    SparkError::new(ErrorClass::Analysis, "WRONG_COMMAND_FOR_OBJECT_TYPE", "42809", message)
        .with("objectName", name)
        .with("operation", "DROP VIEW")
        .with("foundType", "MANAGED")
        .with("requiredType", "VIEW or METRIC_VIEW")
        .with("alternative", "DROP TABLE")
}
