//! `DESCRIBE`.

use arrow::datatypes::Schema;
use sheetbend_plan::ddl;
use sheetbend_plan::environment::Environment;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::RelationKind;
use sheetbend_plan::sql::Describe;

use super::Statements;
use crate::catalog::rows::{optional, strings, table};
use crate::catalog::{function, no_function};
use crate::tables::{CATALOG, quoted};

impl Statements<'_> {
    pub(super) async fn describe(&self, what: Describe) -> Result<RelationKind> {
        let session = self.session();
        match what {
            Describe::Table { name, extended: _ } => {
                let found = session.get(&name)?;
                columns(&found.schema(), found.comments())
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
            Describe::Query(query) => columns(&session.resolve(&self.with(query)).await?.schema, &[]),
            Describe::Function(name) => {
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

fn columns(schema: &Schema, comments: &[Option<String>]) -> Result<RelationKind> {
    let fields = schema.fields();
    let comments = (0..fields.len()).map(|at| comments.get(at).cloned().flatten());
    table(vec![
        ("col_name", false, strings(fields.iter().map(|field| field.name()))),
        ("data_type", false, strings(fields.iter().map(|field| ddl::type_name(field.data_type())))),
        ("comment", true, optional(comments)),
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
