//! `DESCRIBE`.

use arrow::datatypes::Schema;
use sheetbend_plan::ddl;
use sheetbend_plan::environment::Environment;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::RelationKind;
use sheetbend_plan::sql::Describe;

use super::Statements;
use super::function::described;
use crate::catalog::rows::{optional, strings, table};
use crate::catalog::{function, no_function};
use crate::names::Found;
use crate::tables::{CATALOG, Entry, quoted};

impl Statements<'_> {
    pub(super) async fn describe(&self, what: Describe) -> Result<RelationKind> {
        let session = self.session();
        match what {
            Describe::Table { name, extended: _ } => {
                let found = session.get(&name)?;
                let mut rows = rows(&found.schema(), &found.comments());
                if let Found::Stored(Entry::Table(table)) = &found
                    && !table.details.partition_by.is_empty()
                {
                    let at = rows.len() - table.details.partition_by.len().min(rows.len());
                    let of_partitions = rows[at..].to_vec();
                    rows.push(row(["# Partition Information", "", ""]));
                    rows.push(row(["# col_name", "data_type", "comment"]));
                    rows.extend(of_partitions);
                }
                columns(rows)
            }
            Describe::Column { name, column } => {
                let found = session.get(&name)?;
                let schema = found.schema();
                let case_sensitive = session.settings().case_sensitive;
                let is = |known: &str| match column.as_slice() {
                    [column] if case_sensitive => known == column,
                    [column] => known.eq_ignore_ascii_case(column),
                    _ => false,
                };
                let at = schema.fields().iter().position(|field| is(field.name()));
                let at = at.ok_or_else(|| no_column(&column))?;
                let field = schema.field(at);
                let comment = found.comments().get(at).cloned().flatten().unwrap_or_else(|| "NULL".to_owned());
                let values = [field.name().clone(), ddl::type_name(field.data_type()), comment];
                table(vec![
                    ("info_name", false, strings(["col_name", "data_type", "comment"])),
                    ("info_value", false, strings(values)),
                ])
            }
            Describe::Query(query) => columns(rows(&session.resolve(&self.with(query)).await?.schema, &[])),
            Describe::Function(name) => {
                if function(&name).is_none()
                    && let Some(of_user) = session.functions.find(&name, &session.tables.current())
                {
                    return table(vec![("function_desc", false, strings(described(&of_user)))]);
                }
                let name = function(&name).ok_or_else(|| no_function(&name, session))?;
                let lines = [format!("Function: {name}"), "Usage: N/A.".to_owned()];
                table(vec![("function_desc", false, strings(lines))])
            }
            Describe::Database { name, extended } => {
                let database = session.tables.database(&name)?;
                let mut rows = vec![
                    ("Catalog Name", CATALOG.to_owned()),
                    ("Namespace Name", database.name),
                    ("Comment", database.comment),
                ];
                if extended {
                    let pairs = database.properties.iter().map(|(key, value)| format!("({key},{value})"));
                    rows.push(("Properties", format!("({})", pairs.collect::<Vec<_>>().join(", "))));
                }
                let (names, values): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
                table(vec![("info_name", false, strings(names)), ("info_value", true, strings(values))])
            }
        }
    }
}

/// A column's name, type and comment.
type Row = (String, String, Option<String>);

fn row([name, data_type, comment]: [&str; 3]) -> Row {
    (name.to_owned(), data_type.to_owned(), Some(comment.to_owned()))
}

fn rows(schema: &Schema, comments: &[Option<String>]) -> Vec<Row> {
    let fields = schema.fields().iter().enumerate();
    fields
        .map(|(at, field)| {
            (field.name().clone(), ddl::type_name(field.data_type()), comments.get(at).cloned().flatten())
        })
        .collect()
}

fn columns(rows: Vec<Row>) -> Result<RelationKind> {
    table(vec![
        ("col_name", false, strings(rows.iter().map(|(name, ..)| name))),
        ("data_type", false, strings(rows.iter().map(|(_, data_type, _)| data_type))),
        ("comment", true, optional(rows.iter().map(|(.., comment)| comment.as_ref()))),
    ])
}

fn no_column(name: &[String]) -> SparkError {
    let name = quoted(name);
    let message = format!(
        "The column {name} cannot be found. Verify the spelling and correctness of the column name according to the SQL \
         config \"spark.sql.caseSensitive\"."
    );
    SparkError::new(ErrorClass::Analysis, "COLUMN_NOT_FOUND", "42703", message)
        .with("colName", name)
        .with("caseSensitiveConfig", "\"spark.sql.caseSensitive\"")
}
