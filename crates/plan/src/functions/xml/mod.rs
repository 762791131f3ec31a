//! Functions of XML text: `xpath` and its kin.

mod evaluate;
mod node;
mod path;

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};
use datafusion::error::Result as EngineResult;

use self::evaluate::{Context, Value};
use self::node::{Document, Kind};
use self::path::Path;
use super::call::{Call, Outcome};
use super::native::{Args, Table, native};
use crate::error::{ErrorClass, SparkError};

pub(super) const TABLE: Table = &[
    ("spark.xpath", "", ' ', xpath),
    ("spark.xpath_boolean", "", ' ', |a| {
        let found = Found::default();
        let rows = (0..a.rows).map(|row| found.of(a, row, |document, value| Ok(document.boolean(value))));
        Ok(Arc::new(rows.collect::<EngineResult<BooleanArray>>()?))
    }),
    ("spark.xpath_string", "", ' ', |a| {
        let found = Found::default();
        a.texts(|row| found.of(a, row, |document, value| Ok(document.string(value))))
    }),
    ("spark.xpath_double", "", ' ', |a| {
        let found = Found::default();
        a.numbers::<Float64Type>(|row| found.number(a, row))
    }),
    ("spark.xpath_float", "", ' ', |a| {
        let found = Found::default();
        a.numbers::<Float32Type>(|row| Ok(found.number(a, row)?.map(|number| number as f32)))
    }),
    ("spark.xpath_short", "", ' ', |a| {
        let found = Found::default();
        a.numbers::<Int16Type>(|row| Ok(found.number(a, row)?.map(|number| number as i32 as i16)))
    }),
    ("spark.xpath_int", "", ' ', |a| {
        let found = Found::default();
        a.numbers::<Int32Type>(|row| Ok(found.number(a, row)?.map(|number| number as i32)))
    }),
    ("spark.xpath_long", "", ' ', |a| {
        let found = Found::default();
        a.numbers::<Int64Type>(|row| Ok(found.number(a, row)?.map(|number| number as i64)))
    }),
];

/// A function of XML of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let (function, result) = match call.name.as_str() {
        "xpath" => ("spark.xpath", DataType::new_list(DataType::Utf8, true)),
        "xpath_boolean" => ("spark.xpath_boolean", DataType::Boolean),
        "xpath_string" => ("spark.xpath_string", DataType::Utf8),
        "xpath_double" | "xpath_number" => ("spark.xpath_double", DataType::Float64),
        "xpath_float" => ("spark.xpath_float", DataType::Float32),
        "xpath_short" => ("spark.xpath_short", DataType::Int16),
        "xpath_int" => ("spark.xpath_int", DataType::Int32),
        "xpath_long" => ("spark.xpath_long", DataType::Int64),
        _ => return Ok(Err(call)),
    };
    let [xml, path] = call.exactly()?;
    let args = vec![call.cast(xml, &DataType::Utf8)?, call.cast(path, &DataType::Utf8)?];
    Ok(Ok(native(function, result, "", args)))
}

/// The path of the row before, parsed: as a rule all rows have the same.
#[derive(Default)]
struct Found(RefCell<Option<(String, Path)>>);

impl Found {
    fn path(&self, text: &str) -> EngineResult<Path> {
        if let Some((known, path)) = self.0.borrow().as_ref()
            && known == text
        {
            return Ok(path.clone());
        }
        let path = Path::parse(text).ok_or_else(|| not_understood(text))?;
        *self.0.borrow_mut() = Some((text.to_owned(), path.clone()));
        Ok(path)
    }

    /// What is made of the value of a row's path; NULL without a document or a path.
    fn of<T>(
        &self,
        args: &Args<'_>,
        row: usize,
        make: impl Fn(&Document, &Value) -> EngineResult<T>,
    ) -> EngineResult<Option<T>> {
        let Some((xml, written)) = args.text(0, row).zip(args.text(1, row)) else { return Ok(None) };
        if xml.is_empty() || written.is_empty() {
            return Ok(None);
        }
        let path = self.path(written)?;
        let document = Document::parse(xml).ok_or_else(malformed)?;
        let start = Context { node: 0, position: 1, size: 1 };
        let value = document.evaluate(&path, start).ok_or_else(|| not_understood(written))?;
        make(&document, &value).map(Some)
    }

    fn number(&self, args: &Args<'_>, row: usize) -> EngineResult<Option<f64>> {
        self.of(args, row, |document, value| Ok(document.number(value)))
    }
}

/// The values of text and attributes; elements have none.
fn xpath(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let found = Found::default();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..args.rows {
        let values = found.of(args, row, |document, value| match value {
            Value::Nodes(nodes) => Ok(nodes.iter().map(|node| own_value(document, *node)).collect::<Vec<_>>()),
            _ => Err(not_understood(args.text(1, row).unwrap_or_default()).into()),
        })?;
        match values {
            Some(values) => lists.append_value(values),
            None => lists.append_null(),
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn own_value(document: &Document, node: usize) -> Option<String> {
    match &document.0[node].kind {
        Kind::Text(text) | Kind::Attribute(_, text) => Some(text.clone()),
        Kind::Root | Kind::Element(_) => None,
    }
}

fn malformed() -> SparkError {
    let message = "Invalid XML document: the text is no well-formed XML.";
    SparkError::new(ErrorClass::Runtime, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", message)
}

fn not_understood(path: &str) -> SparkError {
    SparkError::unsupported(format_args!("the XPath expression '{path}'"))
}
