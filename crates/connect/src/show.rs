//! The table that `show()` prints.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::format::{SHOW, format_array};
use sheetbend_plan::ir::ShowForm;

/// The narrowest column.
const MIN_WIDTH: usize = 3;

/// How a table is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Show {
    pub(crate) rows: usize,
    /// Cells are cut to so many characters; 0 for not at all, and then they stand at the left.
    pub(crate) truncate: usize,
    pub(crate) form: ShowForm,
}

/// The table as one row of one column of text. `batches` hold one row more than is shown if there are more.
///
/// # Errors
/// A time zone or a type that is not known.
pub(crate) fn render(schema: &SchemaRef, batches: &[RecordBatch], show: &Show, zone: &str) -> Result<RecordBatch> {
    let rows = cells(batches, show, zone)?;
    let more = batches.iter().map(RecordBatch::num_rows).sum::<usize>() > show.rows;
    let names: Vec<_> = schema.fields().iter().map(|field| escaped(field.name())).collect();
    let (name, mut text) = match show.form {
        ShowForm::Table => ("show_string", table(&names, &rows, show.truncate > 0)),
        ShowForm::Vertical => ("show_string", vertical(&names, &rows)),
        ShowForm::Html => ("html_string", html(&names, &rows)),
    };
    if more {
        let noun = if show.rows == 1 { "row" } else { "rows" };
        let end = if show.form == ShowForm::Html { "\n" } else { "" };
        put(&mut text, format_args!("only showing top {} {noun}{end}", show.rows));
    }
    let field = Field::new(name, DataType::Utf8, false);
    let column = Arc::new(StringArray::from(vec![text]));
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).map_err(SparkError::internal)
}

fn cells(batches: &[RecordBatch], show: &Show, zone: &str) -> Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for batch in batches {
        let count = batch.num_rows().min(show.rows - rows.len());
        let columns = batch.columns().iter().zip(batch.schema_ref().fields());
        let columns = columns.map(|(column, field)| format_array(&column.slice(0, count), zone, SHOW.of(field)));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(SparkError::internal)?;
        for row in 0..count {
            let cells = columns.iter().map(|column| if column.is_null(row) { SHOW.null } else { column.value(row) });
            rows.push(cells.map(|cell| cut(escaped(cell), show.truncate)).collect());
        }
    }
    Ok(rows)
}

fn table(names: &[String], rows: &[Vec<String>], to_the_right: bool) -> String {
    let mut widths: Vec<_> = names.iter().map(|name| width(name).max(MIN_WIDTH)).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let line = widths.iter().fold("+".to_owned(), |line, width| line + &"-".repeat(*width) + "+");
    // A table without columns still has two sides.
    let line = if widths.is_empty() { "++".to_owned() } else { line };
    let mut text = format!("{line}\n");
    for (number, row) in std::iter::once(names).chain(rows.iter().map(Vec::as_slice)).enumerate() {
        text.push('|');
        for (cell, width) in row.iter().zip(&widths) {
            let cell = if to_the_right { padded_left(cell, *width) } else { padded_right(cell, *width) };
            put(&mut text, format_args!("{cell}|"));
        }
        text.push_str(if row.is_empty() { "|\n" } else { "\n" });
        if number == 0 {
            put(&mut text, format_args!("{line}\n"));
        }
    }
    put(&mut text, format_args!("{line}\n"));
    text
}

fn vertical(names: &[String], rows: &[Vec<String>]) -> String {
    let widest =
        |cells: &mut dyn Iterator<Item = &String>| cells.map(|cell| width(cell)).max().unwrap_or(0).max(MIN_WIDTH);
    let name_width = widest(&mut names.iter());
    let cell_width = widest(&mut rows.iter().flatten());
    if rows.is_empty() {
        return "(0 rows)".to_owned();
    }
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let header = format!("-RECORD {number}");
        put(&mut text, format_args!("{header:-<0$}\n", name_width + cell_width + 5));
        for (name, cell) in names.iter().zip(row) {
            let (name, cell) = (padded_right(name, name_width), padded_right(cell, cell_width));
            put(&mut text, format_args!(" {name} | {cell} \n"));
        }
    }
    text
}

fn html(names: &[String], rows: &[Vec<String>]) -> String {
    let mut text = "<table border='1'>\n".to_owned();
    for (cells, tag) in std::iter::once((names, "th")).chain(rows.iter().map(|row| (row.as_slice(), "td"))) {
        text.push_str("<tr>");
        for cell in cells {
            let cell = cell.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
            put(&mut text, format_args!("<{tag}>{cell}</{tag}>"));
        }
        text.push_str("</tr>\n");
    }
    text + "</table>\n"
}

/// `text` without characters that would break a line or a column.
fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\u{c}' => result.push_str("\\f"),
            '\u{8}' => result.push_str("\\b"),
            '\u{b}' => result.push_str("\\v"),
            '\u{7}' => result.push_str("\\a"),
            other => result.push(other),
        }
    }
    result
}

/// `text` in at most `limit` characters, with dots where that leaves room for them.
fn cut(text: String, limit: usize) -> String {
    if limit == 0 || text.chars().count() <= limit {
        return text;
    }
    match limit {
        1..=3 => text.chars().take(limit).collect(),
        _ => text.chars().take(limit - 3).chain("...".chars()).collect(),
    }
}

fn padded_left(text: &str, width_wanted: usize) -> String {
    " ".repeat(width_wanted.saturating_sub(width(text))) + text
}

fn padded_right(text: &str, width_wanted: usize) -> String {
    text.to_owned() + &" ".repeat(width_wanted.saturating_sub(width(text)))
}

/// The columns that `text` takes on a terminal, as Spark counts: UTF-16 units, and the wide ones of East Asia twice.
fn width(text: &str) -> usize {
    text.chars().map(|c| c.len_utf16() + usize::from(is_wide(c))).sum()
}

fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe10}'..='\u{fe19}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')
}

/// Writing to a string does not fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}
