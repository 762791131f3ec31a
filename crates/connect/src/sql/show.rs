//! `SHOW`.

use sheetbend_plan::error::Result;
use sheetbend_plan::ir::RelationKind;
use sheetbend_plan::sql::{Show, TableListing};

use super::define;
use crate::catalog::functions;
use crate::catalog::rows::{fits, flags, strings, table};
use crate::names::Found;
use crate::session::Session;
use crate::tables::{CATALOG, GLOBAL};

pub(super) fn show(what: Show, session: &Session) -> Result<RelationKind> {
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
        Show::Functions { of_users: true, .. } => table(vec![("function", false, strings([""; 0]))]),
        Show::Functions { of_users: false, pattern } => {
            table(vec![("function", false, strings(functions(pattern.as_deref())))])
        }
        Show::CurrentDatabase => table(vec![
            ("catalog", false, strings([CATALOG])),
            ("namespace", false, strings([session.tables.current()])),
        ]),
        Show::Properties(name) => {
            session.get(&name)?;
            table(vec![("key", false, strings([""; 0])), ("value", false, strings([""; 0]))])
        }
        Show::CreateTable(name) => Err(define::of_table("SHOW CREATE TABLE", &name, session)),
        Show::Partitions(name) => Err(define::of_table("SHOW PARTITIONS", &name, session)),
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
