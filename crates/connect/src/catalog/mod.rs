//! `spark.catalog`: answers as small tables.

mod listing;
pub(crate) mod rows;

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{Relation, RelationKind, Source};
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;
use spark_connect_proto::catalog::CatType;

use self::rows::{flag, nothing, text};
use crate::cache::MEMORY_AND_DISK;
use crate::error::missing;
use crate::lower::types;
use crate::operation::Task;
use crate::session::Session;
use crate::tables::{CATALOG, Details, catalog_not_found, quoted};
use crate::write::Writer;

pub(crate) use self::listing::{function, functions};

/// The answer to a request. `dropTempView` takes effect here, when its relation is lowered: the protocol has it as a relation, and clients execute
/// it once.
pub(crate) fn relation(request: proto::Catalog, session: &Session) -> Result<RelationKind> {
    match request.cat_type.ok_or_else(|| missing("catalog.cat_type"))? {
        CatType::CurrentDatabase(_) => text(&session.tables.current()),
        CatType::CurrentCatalog(_) => text(CATALOG),
        CatType::SetCurrentDatabase(set) => {
            session.tables.set_current(&parse_identifier(&set.db_name)?)?;
            nothing()
        }
        CatType::SetCurrentCatalog(set) if set.catalog_name.eq_ignore_ascii_case(CATALOG) => nothing(),
        CatType::SetCurrentCatalog(set) => Err(catalog_not_found(&set.catalog_name)),
        CatType::DatabaseExists(exists) => flag(session.tables.database(&parse_identifier(&exists.db_name)?).is_ok()),
        CatType::GetDatabase(get) => {
            let database = session.tables.database(&parse_identifier(&get.db_name)?)?;
            listing::databases(vec![database])
        }
        CatType::ListCatalogs(list) => listing::catalogs(list.pattern.as_deref()),
        CatType::ListDatabases(list) => {
            let mut databases = session.tables.databases();
            databases.retain(|database| rows::fits(&database.name, list.pattern.as_deref()));
            listing::databases(databases)
        }
        CatType::TableExists(exists) => {
            let name = name_in(exists.db_name, &exists.table_name)?;
            flag(session.find(&name).is_some())
        }
        CatType::GetTable(get) => {
            let name = name_in(get.db_name, &get.table_name)?;
            listing::tables(vec![session.get(&name)?])
        }
        CatType::ListTables(list) => {
            let database = match list.db_name.filter(|name| !name.is_empty()) {
                Some(name) => session.tables.database(&parse_identifier(&name)?)?.name,
                None => session.tables.current(),
            };
            listing::tables(session.listed(&database, list.pattern.as_deref()))
        }
        CatType::ListColumns(list) => {
            let name = name_in(list.db_name, &list.table_name)?;
            listing::columns(&session.get(&name)?)
        }
        CatType::ListFunctions(list) => {
            if let Some(name) = list.db_name.filter(|name| !name.is_empty()) {
                session.tables.database(&parse_identifier(&name)?)?;
            }
            listing::described_functions(functions(list.pattern.as_deref()))
        }
        CatType::FunctionExists(exists) => {
            let name = name_in(exists.db_name, &exists.function_name)?;
            let of_user = session.functions.find(&name, &session.tables.current());
            flag(of_user.is_some() || function(&name).is_some())
        }
        CatType::GetFunction(get) => {
            let name = parse_identifier(&get.function_name)?;
            let found = function(&name).ok_or_else(|| no_function(&name, session))?;
            listing::described_functions(vec![found])
        }
        CatType::DropTempView(drop) => flag(session.drop_view(&drop.view_name)?),
        CatType::DropGlobalTempView(drop) => flag(session.globals.remove(&drop.view_name)),
        CatType::IsCached(is) => flag(session.level(&named(&is.table_name, session)?)?.is_some()),
        CatType::UncacheTable(uncache) => {
            session.forget(&named(&uncache.table_name, session)?)?;
            nothing()
        }
        CatType::ClearCache(_) => {
            session.cache.clear();
            nothing()
        }
        CatType::RefreshTable(refresh) => {
            session.refresh(&named(&refresh.table_name, session)?)?;
            nothing()
        }
        CatType::RefreshByPath(_) => nothing(),
        CatType::RecoverPartitions(recover) => {
            let name = parse_identifier(&recover.table_name)?;
            session.get(&name)?;
            Err(SparkError::unsupported("`spark.catalog.recoverPartitions`"))
        }
        _ => Err(SparkError::unsupported("this call of `spark.catalog`")),
    }
}

/// The answer to a request that waits for a source or a query; none for another.
///
/// # Errors
/// A name that means nothing or is taken, or a query that fails.
pub(crate) async fn act(request: &proto::Catalog, task: &Task) -> Result<Option<Relation>> {
    let session = &task.session;
    match &request.cat_type {
        Some(CatType::CacheTable(cache)) => {
            let table = named(&cache.table_name, session)?;
            session.keep(&table, cache.storage_level.unwrap_or(MEMORY_AND_DISK)).await?;
            nothing().map(|kind| Some(kind.into()))
        }
        Some(CatType::CreateTable(create)) => {
            let name = parse_identifier(&create.table_name)?;
            let mut source = Source {
                format: session.format_or_default(create.source.clone())?,
                options: create.options.clone().into_iter().collect(),
                ..Source::default()
            };
            source.paths = create.path.clone().into_iter().collect();
            if let Some(DataType::Struct(fields)) = create.schema.clone().map(types::from_proto).transpose()? {
                source.schema = (!fields.is_empty()).then(|| Arc::new(Schema::new(fields)));
            }
            Writer(task).create_table(&name, source, Details::default()).await?;
            Ok(Some(Relation::table(name)))
        }
        _ => Ok(None),
    }
}

/// The table or view of a name, as a relation.
///
/// # Errors
/// `TABLE_OR_VIEW_NOT_FOUND`.
pub(crate) fn named(name: &str, session: &Session) -> Result<Relation> {
    let name = parse_identifier(name)?;
    session.get(&name)?;
    Ok(Relation::table(name))
}

/// The error for a function that is not there.
pub(crate) fn no_function(name: &[String], session: &Session) -> SparkError {
    let path = format!("[`system`.`builtin`, `system`.`session`, `{CATALOG}`.`{}`]", session.tables.current());
    let name = quoted(name);
    let message = format!("Cannot resolve routine {name} on search path {path}.");
    SparkError::new(ErrorClass::Analysis, "UNRESOLVED_ROUTINE", "42883", message)
        .with("routineName", name)
        .with("searchPath", path)
}

/// The parts of a name; the database stands before it where it is said apart.
fn name_in(database: Option<String>, name: &str) -> Result<Vec<String>> {
    match database.filter(|database| !database.is_empty()) {
        Some(database) => Ok([parse_identifier(&database)?, vec![name.to_owned()]].concat()),
        None => parse_identifier(name),
    }
}
