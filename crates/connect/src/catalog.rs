//! `spark.catalog`: answers as small tables. There is one catalog and one database.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, ListArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use sheetbend_plan::ddl;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::RelationKind;
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;
use spark_connect_proto::catalog::CatType;

use crate::error::missing;
use crate::session::Session;
use crate::tables::{CATALOG, DATABASE};
use crate::views;

/// The answer to a request. `dropTempView` takes effect here, when its relation is lowered: the protocol has it as a
/// relation, and clients execute it once.
pub(crate) fn relation(request: proto::Catalog, session: &Session) -> Result<RelationKind> {
    match request.cat_type.ok_or_else(|| missing("catalog.cat_type"))? {
        CatType::CurrentDatabase(_) => text(DATABASE),
        CatType::CurrentCatalog(_) => text(CATALOG),
        CatType::SetCurrentDatabase(set) if set.db_name.eq_ignore_ascii_case(DATABASE) => nothing(),
        CatType::SetCurrentCatalog(set) if set.catalog_name.eq_ignore_ascii_case(CATALOG) => nothing(),
        CatType::DatabaseExists(exists) => flag(is_database(&exists.db_name)),
        CatType::TableExists(exists) => {
            flag(exists_in(session, exists.db_name.filter(|name| !name.is_empty()), &exists.table_name)?)
        }
        CatType::DropTempView(drop) => flag(session.views.remove(&drop.view_name)),
        CatType::DropGlobalTempView(_) => flag(false),
        CatType::ListCatalogs(list) => {
            let names = matching(vec![CATALOG.to_owned()], list.pattern.as_deref());
            table(vec![("name", false, strings(&names)), ("description", true, nulls(names.len()))])
        }
        CatType::ListDatabases(list) => {
            let names = matching(vec![DATABASE.to_owned()], list.pattern.as_deref());
            let same = |value: &str| strings(&vec![value.to_owned(); names.len()]);
            table(vec![
                ("name", false, strings(&names)),
                ("catalog", true, same(CATALOG)),
                ("description", true, same("default database")),
                ("locationUri", false, same("")),
            ])
        }
        CatType::ListTables(list) => {
            let matching = |names| matching(names, list.pattern.as_deref());
            list_tables(matching(session.tables.names()), matching(session.views.names()))
        }
        CatType::ListColumns(list) => list_columns(session, &list.table_name),
        CatType::IsCached(_) => flag(false),
        CatType::CacheTable(_) | CatType::UncacheTable(_) | CatType::ClearCache(_) => nothing(),
        CatType::RefreshTable(_) | CatType::RefreshByPath(_) => nothing(),
        _ => Err(SparkError::unsupported("this call of `spark.catalog`")),
    }
}

fn is_database(name: &str) -> bool {
    let name = name.to_lowercase();
    name == DATABASE || name == format!("{CATALOG}.{DATABASE}")
}

/// Whether there is a table in the database, or a view where none is named.
fn exists_in(session: &Session, database: Option<String>, name: &str) -> Result<bool> {
    let name = parse_identifier(name)?;
    let is_view = matches!(name.as_slice(), [name] if session.views.get(name).is_some());
    Ok(match database {
        None => is_view || session.tables.get(&name).is_some(),
        Some(database) => is_database(&database) && session.tables.get(&name).is_some(),
    })
}

/// Tables, which stand in the database, then temporary views, which stand in none.
fn list_tables(tables: Vec<String>, views: Vec<String>) -> Result<RelationKind> {
    let (stored, temporary) = (tables.len(), views.len());
    let of_tables = |text: &str| std::iter::repeat_n(Some(text.to_owned()), stored);
    let catalogs = StringArray::from_iter(of_tables(CATALOG).chain(std::iter::repeat_n(None, temporary)));
    let lengths = std::iter::repeat_n(1, stored).chain(std::iter::repeat_n(0, temporary));
    let databases = Arc::new(StringArray::from_iter(of_tables(DATABASE)));
    let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
    let namespaces = ListArray::new(field, OffsetBuffer::from_lengths(lengths), databases, None);
    let types = [vec!["MANAGED".to_owned(); stored], vec!["TEMPORARY".to_owned(); temporary]].concat();
    table(vec![
        ("name", false, strings(&[tables, views].concat())),
        ("catalog", true, Arc::new(catalogs)),
        ("namespace", true, Arc::new(namespaces)),
        ("description", true, nulls(stored + temporary)),
        ("tableType", false, strings(&types)),
        ("isTemporary", false, flags(&[vec![false; stored], vec![true; temporary]].concat())),
    ])
}

fn list_columns(session: &Session, name: &str) -> Result<RelationKind> {
    let parts = parse_identifier(name)?;
    let view = match parts.as_slice() {
        [name] => session.views.get(name).map(|view| view.schema.clone()),
        _ => None,
    };
    let schema = view.or_else(|| session.tables.get(&parts).map(|table| table.schema));
    let schema = schema.ok_or_else(|| views::not_found(name))?;
    let fields = schema.fields();
    let count = fields.len();
    let names: Vec<_> = fields.iter().map(|field| field.name().clone()).collect();
    let types: Vec<_> = fields.iter().map(|field| ddl::type_name(field.data_type())).collect();
    let nullable: Vec<_> = fields.iter().map(|field| field.is_nullable()).collect();
    table(vec![
        ("name", false, strings(&names)),
        ("description", true, nulls(count)),
        ("dataType", false, strings(&types)),
        ("nullable", false, flags(&nullable)),
        ("isPartition", false, flags(&vec![false; count])),
        ("isBucket", false, flags(&vec![false; count])),
        ("isCluster", false, flags(&vec![false; count])),
    ])
}

/// Names that fit a pattern, in which `*` stands for anything and `|` for "or".
pub(crate) fn matching(names: Vec<String>, pattern: Option<&str>) -> Vec<String> {
    let Some(pattern) = pattern else { return names };
    let patterns: Vec<_> = pattern.split('|').map(|part| part.trim().to_lowercase()).collect();
    names.into_iter().filter(|name| patterns.iter().any(|pattern| fits(&name.to_lowercase(), pattern))).collect()
}

/// The first place of each part is as good as any later one, so nothing is tried twice.
fn fits(name: &str, pattern: &str) -> bool {
    let Some((first, more)) = pattern.split_once('*') else { return name == pattern };
    let (middle, last) = more.rsplit_once('*').unwrap_or(("", more));
    let Some(inner) = name.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    middle.split('*').try_fold(inner, |rest, part| rest.split_once(part).map(|(_, after)| after)).is_some()
}

fn text(value: &str) -> Result<RelationKind> {
    table(vec![("value", false, strings(&[value.to_owned()]))])
}

fn flag(value: bool) -> Result<RelationKind> {
    table(vec![("value", false, flags(&[value]))])
}

fn nothing() -> Result<RelationKind> {
    table(Vec::new())
}

pub(crate) fn strings(values: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn nulls(count: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter(std::iter::repeat_n(None::<&str>, count)))
}

pub(crate) fn flags(values: &[bool]) -> ArrayRef {
    Arc::new(BooleanArray::from(values.to_vec()))
}

pub(crate) fn table(columns: Vec<(&str, bool, ArrayRef)>) -> Result<RelationKind> {
    let fields =
        columns.iter().map(|(name, nullable, column)| Field::new(*name, column.data_type().clone(), *nullable));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let rows = columns.first().map_or(0, |(.., column)| column.len());
    let columns = columns.into_iter().map(|(.., column)| column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(SparkError::internal)?;
    Ok(RelationKind::Local { schema, batches: vec![batch] })
}
