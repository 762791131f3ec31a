//! The columns that a CSV file has.

use arrow::datatypes::{DataType, Field, FieldRef};
use sheetbend_plan::ddl;
use sheetbend_plan::error::Result;

use super::options::CsvOptions;
use super::source::Source;
use super::tokens::Record;

/// The columns of some sources: their names from the first row, their types from all rows where that is asked for.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn columns<'a>(
    sources: impl Iterator<Item = Result<Source<'a>>>,
    options: &CsvOptions,
    case_sensitive: bool,
) -> Result<Vec<FieldRef>> {
    let mut record = Record::default();
    let mut names: Option<(Vec<String>, Vec<u8>)> = None;
    let mut types: Vec<Option<DataType>> = vec![];
    for source in sources {
        let mut source = source?;
        let mut is_first = true;
        while source.next(&mut record)? {
            let texts = texts(&record, options);
            let header = options.header && is_first;
            is_first = false;
            if names.is_none() {
                types = vec![None; texts.len()];
                names = Some((named(&texts, options.header, case_sensitive), source.last().to_vec()));
            }
            if !options.infer_schema {
                break;
            }
            let is_header = header || (options.header && names.as_ref().is_some_and(|(_, line)| line == source.last()));
            if !is_header {
                for (known, text) in types.iter_mut().zip(&texts) {
                    widen(known, text.as_deref(), options);
                }
            }
        }
        if names.is_some() && !options.infer_schema {
            break;
        }
    }
    let (names, _) = names.unwrap_or_default();
    let field =
        |(name, known): (String, Option<DataType>)| Field::new(name, known.unwrap_or(DataType::Utf8), true).into();
    Ok(names.into_iter().zip(types).map(field).collect())
}

/// The values of a record; none for NULL.
pub(super) fn texts(record: &Record, options: &CsvOptions) -> Vec<Option<String>> {
    let texts = (0..record.len()).filter_map(|at| record.get(at)).map(|(bytes, quoted)| {
        let mut text = String::new();
        options.encoding.decode(bytes, &mut text);
        options.value(&text, quoted).map(str::to_owned)
    });
    texts.collect()
}

/// Names that are there and differ: `_c1` for none, with their number where one comes twice.
fn named(texts: &[Option<String>], header: bool, case_sensitive: bool) -> Vec<String> {
    let numbered = |at: usize| format!("_c{at}");
    if !header {
        return (0..texts.len()).map(numbered).collect();
    }
    let key = |text: &str| if case_sensitive { text.to_owned() } else { text.to_lowercase() };
    let keys: Vec<_> = texts.iter().map(|text| text.as_deref().map(key)).collect();
    let names = texts.iter().enumerate().map(|(at, text)| match text {
        Some(text) if !text.is_empty() => {
            let twice = keys.iter().filter(|other| **other == keys[at]).count() > 1;
            if twice { format!("{text}{at}") } else { text.clone() }
        }
        _ => numbered(at),
    });
    names.collect()
}

/// The type that holds what was seen before and this text.
fn widen(known: &mut Option<DataType>, text: Option<&str>, options: &CsvOptions) {
    let Some(text) = text else { return };
    let seen = type_of(text, known.as_ref(), options);
    *known = Some(match known.take() {
        None => seen,
        Some(known) => common(known, seen),
    });
}

/// The narrowest type of a text, of those that are not narrower than the one that is known.
fn type_of(text: &str, known: Option<&DataType>, options: &CsvOptions) -> DataType {
    let rank = known.map_or(0, rank);
    if rank == 0 && text.parse::<i32>().is_ok() {
        return DataType::Int32;
    }
    if rank <= 1 && text.parse::<i64>().is_ok() {
        return DataType::Int64;
    }
    if rank <= 2
        && let Some(digits) = whole_digits(text)
    {
        return DataType::Decimal128(digits, 0);
    }
    if rank <= 3 && super::convert::double(text, options).is_some() {
        return DataType::Float64;
    }
    if rank <= 4 && options.prefer_date && text.len() >= 8 && is_date(text, options) {
        return DataType::Date32;
    }
    if rank <= 5 && options.times.timestamp(text).is_some() {
        return ddl::timestamp();
    }
    if rank <= 6 && (text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")) {
        return DataType::Boolean;
    }
    DataType::Utf8
}

/// A date alone: a time behind it makes a timestamp.
fn is_date(text: &str, options: &CsvOptions) -> bool {
    !text.contains([':', 'T']) && options.times.date(text).is_some()
}

fn rank(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Int32 => 0,
        DataType::Int64 => 1,
        DataType::Decimal128(..) => 2,
        DataType::Float64 => 3,
        DataType::Date32 => 4,
        DataType::Timestamp(..) => 5,
        DataType::Boolean => 6,
        _ => 7,
    }
}

fn whole_digits(text: &str) -> Option<u8> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count = u8::try_from(digits.trim_start_matches('0').len()).ok()?;
    (is_whole && count <= 38).then_some(count.max(1))
}

fn common(left: DataType, right: DataType) -> DataType {
    use DataType::{Date32, Decimal128, Float64, Int32, Int64, Timestamp, Utf8};
    let digits = |data_type: &DataType| match data_type {
        Int32 => Some(10),
        Int64 => Some(20),
        Decimal128(digits, _) => Some(*digits),
        _ => None,
    };
    match (&left, &right) {
        _ if left == right => left,
        (Int32, Int64) | (Int64, Int32) => Int64,
        (Date32, Timestamp(..)) | (Timestamp(..), Date32) => ddl::timestamp(),
        (Float64, other) | (other, Float64) if digits(other).is_some() => Float64,
        (l, r) => match (digits(l), digits(r)) {
            (Some(l), Some(r)) => Decimal128(l.max(r), 0),
            _ => Utf8,
        },
    }
}
