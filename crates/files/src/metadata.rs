//! `_metadata`: what is known of the file that a row is of.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};
use std::time::UNIX_EPOCH;

use arrow::array::{ArrayRef, Int64Array, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::ScalarValue;
use sheetbend_plan::ddl;

use crate::listing::{File, name};

/// The column's name.
pub(crate) const NAME: &str = "_metadata";

static COLUMN: LazyLock<FieldRef> = LazyLock::new(|| {
    let field = |name: &str, data_type| Field::new(name, data_type, false);
    let members = Fields::from(vec![
        field("file_path", DataType::Utf8),
        field("file_name", DataType::Utf8),
        field("file_size", DataType::Int64),
        field("file_block_start", DataType::Int64),
        field("file_block_length", DataType::Int64),
        field("file_modification_time", ddl::timestamp()),
    ]);
    Arc::new(field(NAME, DataType::Struct(members)))
});

/// The column, which no star names.
pub(crate) fn column() -> FieldRef {
    Arc::clone(&COLUMN)
}

/// Whether a column is this one, and not one of a file that has its name.
pub(crate) fn is_one(field: &FieldRef) -> bool {
    *field == *COLUMN
}

/// The column's value for the rows of a file, which is one block.
pub(crate) fn of(file: &File) -> ScalarValue {
    let DataType::Struct(members) = COLUMN.data_type() else { return ScalarValue::Null };
    let size = i64::try_from(file.size).unwrap_or(i64::MAX);
    // Spark knows milliseconds of it.
    let since = file.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let modified = i64::try_from(since.as_millis()).unwrap_or(0).saturating_mul(1000);
    let text = |text: String| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let number = |number: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![number])) };
    let columns = vec![
        text(format!("file:{}", encoded(&file.path.to_string_lossy()))),
        text(encoded(&name(&file.path))),
        number(size),
        number(0),
        number(size),
        Arc::new(TimestampMicrosecondArray::from(vec![modified]).with_timezone("UTC")),
    ];
    ScalarValue::Struct(Arc::new(StructArray::new(members.clone(), columns, None)))
}

/// A path as a URI has it: what is no letter, digit or mark of ASCII is written in hexadecimal digits.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for c in path.chars() {
        match c.is_ascii_alphanumeric() || !c.is_ascii() || "-_.!~*'();/:@&=+$,".contains(c) {
            true => text.push(c),
            // Writing to a string does not fail.
            false => _ = write!(text, "%{:02X}", u32::from(c)),
        }
    }
    text
}
