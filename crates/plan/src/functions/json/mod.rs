//! Functions of JSON text.

mod path;
mod read;
mod resolve;
mod schema;
mod value;
mod write;

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::Int32Type;
use datafusion::error::Result as EngineResult;

use self::path::Path;
pub(super) use self::resolve::{declared_type, resolve};
use self::value::Json;
pub(crate) use self::value::quoted;
pub(crate) use self::write::base64;
pub(super) use self::write::iso_instant;
use super::native::{Args, Table};

pub(super) const TABLE: Table = &[
    ("get_json_object", "ss", 's', |a| {
        a.texts(|row| {
            let Some((text, path)) = a.text(0, row).zip(a.text(1, row)) else { return Ok(None) };
            let found = Path::parse(path).zip(Json::parse(text));
            Ok(found.and_then(|(path, json)| path.find(&json)))
        })
    }),
    ("json_array_length", "s", 'i', |a| {
        a.numbers::<Int32Type>(|row| match a.text(0, row).and_then(Json::parse) {
            Some(Json::Array(items)) => Ok(i32::try_from(items.len()).ok()),
            _ => Ok(None),
        })
    }),
    ("json_object_keys", "s", 'a', object_keys),
    (FIELD, "", ' ', |a| {
        a.texts(|row| {
            let json = a.text(0, row).and_then(Json::parse);
            Ok(json.zip(a.text(1, row)).and_then(|(json, key)| json.get(key)?.text()))
        })
    }),
    (TO_JSON, "", ' ', write::to_json),
    (FROM_JSON, "", ' ', read::from_json),
];

/// What stands under a key, as text.
pub(super) const FIELD: &str = "spark.json_field";
const TO_JSON: &str = "spark.to_json";
const FROM_JSON: &str = "spark.from_json";

fn object_keys(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..args.rows {
        match args.text(0, row).and_then(Json::parse) {
            Some(Json::Object(fields)) => lists.append_value(fields.into_iter().map(|(key, _)| Some(key))),
            _ => lists.append_null(),
        }
    }
    Ok(Arc::new(lists.finish()))
}
