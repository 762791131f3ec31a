//! Columns that folders hold: `year=2024/month=1`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use sheetbend_plan::ddl;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::text::Reader;

use crate::error::uri;
use crate::listing::{Listing, name};

/// What stands for NULL in the name of a folder, and for text without a character.
pub(crate) const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition columns of some files.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    /// Names and types, from the outermost folder on.
    pub(crate) columns: Vec<(String, DataType)>,
    /// One value a column, by folder.
    pub(crate) values: BTreeMap<PathBuf, Vec<ScalarValue>>,
}

/// How the values of partitions are read.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    /// Folders from which on names are partitions.
    pub(crate) bases: &'a BTreeSet<PathBuf>,
    /// The types that the user gave.
    pub(crate) given: &'a [FieldRef],
    /// Types are told by the values; text otherwise.
    pub(crate) infer: bool,
    pub(crate) time_zone: &'a str,
}

/// The partitions that the folders of a listing say.
///
/// # Errors
/// Folders that disagree: `CONFLICTING_DIRECTORY_STRUCTURES`, `CONFLICTING_PARTITION_COLUMN_NAMES`.
pub(crate) fn find(listing: &Listing, rules: &Rules<'_>) -> Result<Partitions> {
    let folders: BTreeSet<_> = listing.files.iter().filter_map(|file| file.path.parent()).collect();
    let mut bases = BTreeSet::new();
    let mut found: Vec<(&Path, Vec<(String, String)>)> = vec![];
    for folder in folders {
        let (columns, base) = columns_of(folder, rules.bases);
        bases.insert(base);
        if !columns.is_empty() {
            found.push((folder, columns));
        }
    }
    let Some((_, first)) = found.first() else { return Ok(Partitions::default()) };
    if bases.len() > 1 {
        return Err(conflicting_structures(&bases));
    }
    let names: Vec<_> = first.iter().map(|(name, _)| name.clone()).collect();
    if found.iter().any(|(_, columns)| !columns.iter().map(|(name, _)| name).eq(&names)) {
        return Err(conflicting_names(&found));
    }
    let reader = Reader::new(rules.time_zone)?;
    let mut columns = vec![];
    let mut values: BTreeMap<PathBuf, Vec<ScalarValue>> = BTreeMap::new();
    for (at, name) in names.into_iter().enumerate() {
        let texts: Vec<_> = found.iter().map(|(_, columns)| columns[at].1.as_str()).collect();
        let given = rules.given.iter().find(|field| field.name().eq_ignore_ascii_case(&name));
        let data_type = match given {
            Some(field) => field.data_type().clone(),
            None if rules.infer => type_of(&texts, &reader),
            None => DataType::Utf8,
        };
        for ((folder, _), text) in found.iter().zip(texts) {
            let value = value(text, &data_type, &reader)?;
            values.entry((*folder).to_owned()).or_default().push(value);
        }
        columns.push((given.map_or(name, |field| field.name().clone()), data_type));
    }
    Ok(Partitions { columns, values })
}

/// The columns that a folder's path says, and the folder in which the first of them lies.
fn columns_of<'a>(folder: &'a Path, bases: &BTreeSet<PathBuf>) -> (Vec<(String, String)>, &'a Path) {
    let (mut columns, mut current) = (vec![], folder);
    while !bases.contains(current) {
        match name(current).split_once('=') {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                columns.push((unescaped(key), unescaped(value)));
            }
            _ if columns.is_empty() => {}
            _ => break,
        }
        let Some(parent) = current.parent() else { break };
        current = parent;
    }
    if columns.is_empty() {
        return (columns, folder);
    }
    columns.reverse();
    (columns, current)
}

/// The type that holds all of the values.
fn type_of(texts: &[&str], reader: &Reader) -> DataType {
    let known = texts.iter().filter(|text| **text != NULL).map(|text| single_type(text, reader));
    known.reduce(common).unwrap_or(DataType::Null)
}

fn single_type(text: &str, reader: &Reader) -> DataType {
    if text.parse::<i32>().is_ok() {
        return DataType::Int32;
    }
    if text.parse::<i64>().is_ok() {
        return DataType::Int64;
    }
    if let Some(digits) = whole_digits(text) {
        return DataType::Decimal128(digits, 0);
    }
    let is_double = !text.ends_with(['d', 'D', 'f', 'F']) && reader.parse_double(text).is_some();
    if is_double && text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return DataType::Float64;
    }
    let is_date = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    match reader.parse_timestamp(text) {
        Some(_) if is_date => DataType::Date32,
        Some(_) if text.contains(['T', ' ']) => ddl::timestamp(),
        _ => DataType::Utf8,
    }
}

/// The digits of a whole number that 64 bits do not hold, or of one with an exponent.
fn whole_digits(text: &str) -> Option<u8> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<u8>().ok()?),
        None => (text, 0),
    };
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = u8::try_from(digits.trim_start_matches('0').len()).ok()?.checked_add(exponent)?;
    (whole && digits <= 38).then_some(digits.max(1))
}

fn common(left: DataType, right: DataType) -> DataType {
    use DataType::{Date32, Decimal128, Float64, Int32, Int64, Timestamp, Utf8};
    match (&left, &right) {
        _ if left == right => left,
        (Int32, Int64) | (Int64, Int32) => Int64,
        (Int32, Float64) | (Float64, Int32) => Float64,
        (Decimal128(left, _), Decimal128(right, _)) => Decimal128(*left.max(right), 0),
        (Decimal128(digits, _), Int32) | (Int32, Decimal128(digits, _)) => Decimal128(*digits.max(&10), 0),
        (Decimal128(digits, _), Int64) | (Int64, Decimal128(digits, _)) => Decimal128(*digits.max(&20), 0),
        (Date32, Timestamp(..)) | (Timestamp(..), Date32) => ddl::timestamp(),
        _ => Utf8,
    }
}

fn value(text: &str, data_type: &DataType, reader: &Reader) -> Result<ScalarValue> {
    if text == NULL {
        return Ok(ScalarValue::try_from(data_type)?);
    }
    let value = reader.value(text, data_type)?;
    if value.is_null() && *data_type != DataType::Null {
        let to = ddl::sql_name(data_type);
        let message = format!("The partition value '{text}' cannot be cast to \"{to}\". Give the column another type.");
        return Err(SparkError::new(ErrorClass::Runtime, "CAST_INVALID_INPUT", "22018", message)
            .with("expression", format!("'{text}'"))
            .with("sourceType", "\"STRING\"")
            .with("targetType", format!("\"{to}\"")));
    }
    Ok(value)
}

/// The name of a folder with `%3D` for what may not stand in one.
pub(crate) fn escaped(text: &str) -> String {
    let special = |c: char| c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c);
    let parts = text.chars().map(|c| match special(c) {
        true => format!("%{:02X}", u32::from(c)),
        false => c.to_string(),
    });
    parts.collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn conflicting_structures(bases: &BTreeSet<&Path>) -> SparkError {
    let bases: String = bases.iter().map(|base| format!("\n\t{}", uri(&base.to_string_lossy()))).collect();
    let message = format!(
        "Conflicting directory structures detected. Suspicious paths:{bases}\nIf they are partitions of one table, give \
         the option `basePath`; else load each by itself and union them."
    );
    SparkError::new(ErrorClass::Runtime, "CONFLICTING_DIRECTORY_STRUCTURES", "KD009", message)
        .with("discoveredBasePaths", bases)
}

fn conflicting_names(found: &[(&Path, Vec<(String, String)>)]) -> SparkError {
    let names =
        |columns: &[(String, String)]| columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let lists: BTreeSet<_> = found.iter().map(|(_, columns)| names(columns)).collect();
    let lists: String = lists.into_iter().map(|list| format!("\n\tPartition column name list: {list}")).collect();
    let paths: String = found.iter().map(|(path, _)| format!("\n\t{}", uri(&path.to_string_lossy()))).collect();
    let message = format!("Conflicting partition column names detected:{lists}\nThe folders are:{paths}");
    SparkError::new(ErrorClass::Runtime, "CONFLICTING_PARTITION_COLUMN_NAMES", "KD009", message)
        .with("distinctPartColLists", lists)
        .with("suspiciousPaths", paths)
}
