//! `SHOW CREATE TABLE`: the statement that would make a table or view again.

use std::collections::BTreeMap;
use std::fmt::Write;

use arrow::datatypes::{DataType, Field};
use sheetbend_plan::ddl::sql_name;
use sheetbend_plan::error::Result;
use sheetbend_plan::ir::RelationKind;

use super::define;
use crate::catalog::rows::{strings, table};
use crate::names::{COMMENT, Found};
use crate::session::Session;
use crate::tables::{CATALOG, Details, Entry, StoredView, Table};

pub(super) fn show_create(name: &[String], session: &Session) -> Result<RelationKind> {
    let text = match session.get(name)? {
        Found::Stored(Entry::Table(table)) => of_table(&table),
        Found::Stored(Entry::View(view)) => of_view(&view),
        Found::Temporary(_) | Found::Global(_) => return Err(define::of_table("SHOW CREATE TABLE", name, session)),
    };
    table(vec![("createtab_stmt", false, strings([text]))])
}

fn of_table(table: &Table) -> String {
    let Table { name, source, details, .. } = table;
    let columns = table.schema.fields().iter().map(|field| {
        let comment = field.metadata().get(COMMENT).map(|comment| format!(" COMMENT {}", quoted(comment)));
        format!("{} {}{}", plain(field.name()), collated(field.data_type()), comment.unwrap_or_default())
    });
    let columns = columns.collect::<Vec<_>>().join(",\n  ");
    let mut text = format!(
        "CREATE TABLE {CATALOG}.{}.{} (\n  {columns})\nUSING {}\n",
        plain(&name.database),
        plain(&name.name),
        source.format.to_lowercase()
    );
    text.push_str(&pairs("OPTIONS", &source.options));
    let Details { partition_by, .. } = details;
    if !partition_by.is_empty() {
        let names: Vec<_> = partition_by.iter().map(|name| plain(name)).collect();
        let _ = writeln!(text, "PARTITIONED BY ({})", names.join(", "));
    }
    text.push_str(&comment(details));
    if let (false, [path]) = (table.managed, source.paths.as_slice()) {
        let _ = writeln!(text, "LOCATION {}", quoted(path));
    }
    text.push_str(&pairs("TBLPROPERTIES", &details.properties));
    text
}

fn of_view(view: &StoredView) -> String {
    let columns = view.schema.fields().iter().enumerate().map(|(at, field)| {
        let comment = view.comments.get(at).cloned().flatten();
        let comment = comment.map(|comment| format!(" COMMENT {}", quoted(&comment)));
        format!("{}{}", plain(field.name()), comment.unwrap_or_default())
    });
    format!(
        "CREATE VIEW {}.{} (\n  {})\n{}{}WITH SCHEMA COMPENSATION\nAS {}\n",
        plain(&view.name.database),
        plain(&view.name.name),
        columns.collect::<Vec<_>>().join(",\n  "),
        comment(&view.details),
        pairs("TBLPROPERTIES", &view.details.properties),
        view.text
    )
}

fn comment(details: &Details) -> String {
    details.comment.as_ref().map_or_else(String::new, |comment| format!("COMMENT {}\n", quoted(comment)))
}

fn pairs(clause: &str, pairs: &BTreeMap<String, String>) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{} = {}", quoted(key), quoted(value))).collect();
    format!("{clause} (\n  {})\n", pairs.join(",\n  "))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A name as it is where that can be read again, else in backticks.
fn plain(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

/// The name of a type, with the collation that Spark writes to every text.
fn collated(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "STRING COLLATE UTF8_BINARY".to_owned(),
        DataType::List(element) => format!("ARRAY<{}>", collated(element.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                let parts: Vec<_> = fields.iter().map(|field| collated(field.data_type())).collect();
                format!("MAP<{}>", parts.join(", "))
            }
            other => sql_name(other),
        },
        DataType::Struct(fields) => {
            let field = |field: &Field| format!("{}: {}", plain(field.name()), collated(field.data_type()));
            format!("STRUCT<{}>", fields.iter().map(|one| field(one)).collect::<Vec<_>>().join(", "))
        }
        other => sql_name(other),
    }
}
