//! `SHOW`.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use sheetbend_plan::environment::Environment;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{CastMode, Deduplicate, Expr, Read, RelationKind};
use sheetbend_plan::sql::{FunctionListing, Show, TableListing};

use super::show_create::show_create;
use super::{Statements, define};
use crate::catalog::functions;
use crate::catalog::rows::{fits, flags, strings, table};
use crate::names::Found;
use crate::session::Session;
use crate::tables::{CATALOG, Entry, GLOBAL, Name};

impl Statements<'_> {
    pub(super) async fn show(&self, what: Show) -> Result<RelationKind> {
        match what {
            Show::Partitions(name) => self.partitions(&name).await,
            other => list(other, self.session()),
        }
    }

    /// The partitions of a table, each as its folders are called.
    async fn partitions(&self, name: &[String]) -> Result<RelationKind> {
        let session = self.session();
        let Found::Stored(Entry::Table(of)) = session.get(name)? else {
            return Err(define::of_table("SHOW PARTITIONS", name, session));
        };
        let columns = of.details.partition_by;
        if columns.is_empty() {
            return Err(not_partitioned(&of.name));
        }
        let texts = columns.iter().map(|name| Expr::Cast {
            expr: Box::new(Expr::column([name])),
            to: DataType::Utf8,
            mode: CastMode::Ansi,
        });
        let input = Some(Box::new(RelationKind::Read(Read::Source(of.source)).into()));
        let texts = RelationKind::Project { input, list: texts.collect() }.into();
        let distinct = Deduplicate { input: Box::new(texts), columns: Vec::new() };
        let found = session.resolve(&RelationKind::Deduplicate(distinct).into()).await?;
        let mut partitions = BTreeSet::new();
        for batch in session.rows(found).await? {
            for row in 0..batch.num_rows() {
                let folders = columns.iter().zip(batch.columns()).map(|(name, values)| {
                    let values = values.as_string::<i32>();
                    let value = if values.is_null(row) { NO_VALUE } else { values.value(row) };
                    format!("{name}={value}")
                });
                partitions.insert(folders.collect::<Vec<_>>().join("/"));
            }
        }
        table(vec![("partition", false, strings(partitions))])
    }
}

/// What the folder of rows without a value is called.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

fn not_partitioned(name: &Name) -> SparkError {
    let name = name.quoted();
    let message = format!("The partition command is invalid. Table {name} is not partitioned.");
    let condition = "INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY";
    SparkError::new(ErrorClass::Analysis, condition, "42601", message).with("name", name)
}

fn list(what: Show, session: &Session) -> Result<RelationKind> {
    match what {
        Show::Tables { kind, namespace, pattern } => {
            let database = match &namespace {
                Some(parts) if matches!(parts.as_slice(), [name] if name.eq_ignore_ascii_case(GLOBAL)) => {
                    GLOBAL.to_owned()
                }
                Some(parts) => session.tables.database(parts)?.name,
                None => session.tables.current(),
            };
            let mut found = session.listed(&database, pattern.as_deref());
            if kind == TableListing::Views {
                found.retain(Found::is_view);
            }
            tables(&found, kind)
        }
        Show::Databases(pattern) => {
            let databases = session.tables.databases();
            let names = databases.iter().map(|database| &database.name).filter(|name| fits(name, pattern.as_deref()));
            table(vec![("namespace", false, strings(names))])
        }
        Show::Catalogs(pattern) => {
            let names = [CATALOG].into_iter().filter(|name| fits(name, pattern.as_deref()));
            table(vec![("catalog", false, strings(names))])
        }
        Show::Columns(name) => {
            let schema = session.get(&name)?.schema();
            table(vec![("col_name", false, strings(schema.fields().iter().map(|field| field.name())))])
        }
        Show::Functions { of, pattern } => {
            let mut names = BTreeSet::new();
            if of != FunctionListing::User {
                names.extend(functions(pattern.as_deref()));
            }
            if of != FunctionListing::System {
                let of_users = session.functions.names(&session.tables.current()).into_iter();
                names.extend(of_users.filter(|name| {
                    let short = name.rsplit('.').next().unwrap_or(name);
                    fits(short, pattern.as_deref())
                }));
            }
            table(vec![("function", false, strings(names))])
        }
        Show::CurrentDatabase => table(vec![
            ("catalog", false, strings([CATALOG])),
            ("namespace", false, strings([session.tables.current()])),
        ]),
        Show::Properties { name, key } => {
            let properties = match session.get(&name)? {
                Found::Stored(entry) => match key {
                    None => entry.details().properties.clone(),
                    Some(key) => {
                        let value = entry.details().properties.get(&key).cloned();
                        let Name { database, name } = entry.name();
                        let none = || format!("Table {CATALOG}.{database}.{name} does not have property: {key}");
                        BTreeMap::from([(key.clone(), value.unwrap_or_else(none))])
                    }
                },
                Found::Temporary(_) | Found::Global(_) => BTreeMap::new(),
            };
            table(vec![("key", false, strings(properties.keys())), ("value", false, strings(properties.values()))])
        }
        Show::CreateTable(name) => show_create(&name, session),
        Show::Partitions(_) => Err(SparkError::internal("Partitions are listed by a query.")),
    }
}

fn tables(found: &[Found], kind: TableListing) -> Result<RelationKind> {
    let name = if kind == TableListing::Views { "viewName" } else { "tableName" };
    let mut columns = vec![
        ("namespace", false, strings(found.iter().map(|found| found.database().unwrap_or_default()))),
        (name, false, strings(found.iter().map(Found::name))),
        ("isTemporary", false, flags(found.iter().map(Found::is_temporary))),
    ];
    if kind == TableListing::Extended {
        columns.push(("information", false, strings(found.iter().map(|_| ""))));
    }
    table(columns)
}
