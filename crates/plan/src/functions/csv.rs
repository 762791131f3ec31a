//! Rows as text with separators: `from_csv`, `to_csv`, `schema_of_csv`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, lit};

use super::call::{Call, Outcome, Typed, constant};
use super::cast::parsed_or_null;
use super::datetime::{days, parse_date, parse_timestamp, to_local};
use super::java_pattern::Pattern;
use super::json::{declared_type, iso_instant};
use super::native::{Args, Table, native};
use super::options::Options;
use super::time::zone;
use crate::ddl::sql_name;
use crate::error::{Result, SparkError};
use crate::format::text_of;
use crate::types::is_string;

pub(super) const TABLE: Table = &[(FROM, "", ' ', from_csv), (TO, "", ' ', to_csv)];

const FROM: &str = "spark.from_csv";
const TO: &str = "spark.to_csv";

/// A function of CSV of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let required = match call.name.as_str() {
        "from_csv" => 2,
        "to_csv" | "schema_of_csv" => 1,
        _ => return Ok(Err(call)),
    };
    let args = std::mem::take(&mut call.args);
    if !(required..=required + 1).contains(&args.len()) {
        return Err(call.wrong_count(&format!("[{required}, {}]", required + 1), args.len()));
    }
    let options = Options::of(&call, args.get(required))?;
    let mut args = args.into_iter();
    let Some(value) = args.next() else { return Err(call.wrong_count("1", 0)) };
    Ok(Ok(match call.name.as_str() {
        "from_csv" => {
            let schema = args.next().ok_or_else(|| call.wrong_count("2", 1))?;
            let result = declared_type(&call, &schema)?;
            if !matches!(result, DataType::Struct(_)) {
                return Err(call.wrong_type(1, "STRUCT", &result));
            }
            let text = call.cast(value, &DataType::Utf8)?;
            native(FROM, result, call.time_zone, with_options(text, &options))
        }
        "to_csv" => match &value.data_type {
            DataType::Struct(_) => native(TO, DataType::Utf8, call.time_zone, with_options(value.expr, &options)),
            other => return Err(call.wrong_type(0, "STRUCT", other)),
        },
        _ => lit(schema_of(&call, &value, &options)?),
    }))
}

/// The value, and the options that the kernels know, each as a text.
fn with_options(value: Expr, options: &Options) -> Vec<Expr> {
    let or = |names: &[&str], default: &str| lit(options.get(names).unwrap_or(default));
    let maybe = |name: &str| lit(ScalarValue::Utf8(options.get(&[name]).map(str::to_owned)));
    vec![
        value,
        or(&["sep", "delimiter"], ","),
        or(&["quote"], "\""),
        or(&["escape"], "\\"),
        or(&["nullvalue"], ""),
        maybe("timestampformat"),
        maybe("dateformat"),
    ]
}

/// How rows are written.
struct Format<'a> {
    separator: &'a str,
    quote: Option<char>,
    escape: Option<char>,
    null: &'a str,
    timestamps: Option<Pattern>,
    dates: Option<Pattern>,
}

impl<'a> Format<'a> {
    fn of(args: &'a Args<'_>) -> EngineResult<Self> {
        let text = |column| args.text(column, 0).unwrap_or_default();
        let pattern = |column| args.text(column, 0).map(Pattern::parse).transpose();
        Ok(Self {
            separator: text(1),
            quote: text(2).chars().next(),
            escape: text(3).chars().next(),
            null: text(4),
            timestamps: pattern(5)?,
            dates: pattern(6)?,
        })
    }

    /// The fields of a row. A quote that ends no field makes all of the field plain text.
    fn split(&self, line: &str) -> Vec<String> {
        let mut fields = vec![];
        let mut rest = line;
        loop {
            let (field, after) = self.quoted(rest).unwrap_or_else(|| self.plain(rest));
            fields.push(field);
            match after.strip_prefix(self.separator).filter(|_| !self.separator.is_empty()) {
                Some(next) => rest = next,
                None => return fields,
            }
        }
    }

    fn plain<'t>(&self, text: &'t str) -> (String, &'t str) {
        let end = if self.separator.is_empty() { None } else { text.find(self.separator) };
        let (field, after) = text.split_at(end.unwrap_or(text.len()));
        (field.to_owned(), after)
    }

    fn quoted<'t>(&self, text: &'t str) -> Option<(String, &'t str)> {
        let quote = self.quote?;
        let mut rest = text.strip_prefix(quote)?;
        let mut field = String::new();
        loop {
            let c = rest.chars().next()?;
            rest = &rest[c.len_utf8()..];
            let before_quote = rest.starts_with(quote);
            if Some(c) == self.escape && before_quote {
                field.push(quote);
                rest = &rest[quote.len_utf8()..];
            } else if c == quote {
                let ends = rest.is_empty() || rest.starts_with(self.separator);
                return ends.then_some((field, rest));
            } else {
                field.push(c);
            }
        }
    }

    /// A field as it is written.
    fn written(&self, text: &str) -> String {
        let (Some(quote), Some(escape)) = (self.quote, self.escape) else { return text.to_owned() };
        let special = text.contains(self.separator) || text.contains(['\n', '\r', quote]);
        if text.is_empty() {
            return format!("{quote}{quote}");
        }
        if !special {
            return text.to_owned();
        }
        let escaped: String =
            text.chars().flat_map(|c| (c == quote).then_some(escape).into_iter().chain([c])).collect();
        format!("{quote}{escaped}{quote}")
    }
}

fn from_csv(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let DataType::Struct(fields) = args.result else {
        return Err(SparkError::internal("a row of CSV is a struct").into());
    };
    let format = Format::of(args)?;
    let rows: Vec<_> = (0..args.rows).map(|row| args.text(0, row).map(|line| format.split(line))).collect();
    let columns = fields.iter().enumerate().map(|(at, field)| {
        let texts = rows.iter().map(|row| {
            let text = row.as_ref()?.get(at)?;
            let text = if is_string(field.data_type()) { text.as_str() } else { text.trim() };
            (text != format.null).then_some(text)
        });
        let pattern = match field.data_type() {
            DataType::Timestamp(..) => format.timestamps.as_ref(),
            DataType::Date32 => format.dates.as_ref(),
            _ => None,
        };
        match pattern {
            Some(pattern) => in_pattern(texts, pattern, field.data_type(), args.zone),
            None => parsed_or_null(&texts.collect::<StringArray>(), field.data_type(), args.zone),
        }
    });
    let columns = columns.collect::<EngineResult<Vec<_>>>()?;
    let nulls: NullBuffer = rows.iter().map(Option::is_some).collect();
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls))?))
}

/// Dates or times from text in a pattern; NULL where it is not in the pattern.
pub(super) fn in_pattern<'a>(
    texts: impl Iterator<Item = Option<&'a str>>,
    pattern: &Pattern,
    to: &DataType,
    time_zone: &str,
) -> EngineResult<ArrayRef> {
    let zone = if matches!(to, DataType::Timestamp(_, None)) { zone("UTC")? } else { zone(time_zone)? };
    let instants = texts.map(|text| text.and_then(|text| pattern.parse_instant(text, zone)));
    if *to == DataType::Date32 {
        let days = instants.map(|micros| micros.and_then(|micros| days(to_local(micros, zone)?.date())));
        return Ok(Arc::new(days.collect::<arrow::array::Date32Array>()));
    }
    let times: arrow::array::TimestampMicrosecondArray = instants.collect();
    Ok(Arc::new(times.with_data_type(to.clone())))
}

fn to_csv(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let rows = args.columns[0].as_struct();
    let (format, zone, text) = (Format::of(args)?, zone(args.zone)?, text_of(args.zone)?);
    args.texts(|row| {
        if rows.is_null(row) {
            return Ok(None);
        }
        let fields = rows.columns().iter().map(|column| {
            if column.is_null(row) || *column.data_type() == DataType::Null {
                return Ok(format.null.to_owned());
            }
            let micros = || column.as_primitive::<TimestampMicrosecondType>().value(row);
            let written = match (column.data_type(), &format.timestamps, &format.dates) {
                (DataType::Timestamp(..), Some(pattern), _) => pattern.format(micros(), zone).unwrap_or_default(),
                (DataType::Timestamp(_, with_zone), None, _) => iso_instant(micros(), with_zone.as_ref().map(|_| zone)),
                (DataType::Binary, ..) => {
                    let bytes = column.as_binary::<i32>().value(row).iter().map(|byte| format!("{byte:02X}"));
                    format!("[{}]", bytes.collect::<Vec<_>>().join(" "))
                }
                _ => text.of(column, row)?.trim().to_owned(),
            };
            Ok(format.written(&written))
        });
        Ok(Some(fields.collect::<EngineResult<Vec<_>>>()?.join(format.separator)))
    })
}

/// The type of a row, as a reader of CSV finds it.
fn schema_of(call: &Call<'_>, line: &Typed, options: &Options) -> Result<String> {
    let Some(ScalarValue::Utf8(Some(line))) = constant(&line.expr) else {
        return Err(SparkError::unsupported(format_args!("`{}` of a text that is no constant", call.name)));
    };
    let separator = options.get(&["sep", "delimiter"]).unwrap_or(",");
    let format = Format { separator, quote: Some('"'), escape: Some('\\'), null: "", timestamps: None, dates: None };
    let fields = format.split(&line).into_iter().enumerate();
    let fields = fields.map(|(at, text)| Field::new(format!("_c{at}"), type_of(&text), true));
    Ok(sql_name(&DataType::Struct(fields.collect())))
}

fn type_of(text: &str) -> DataType {
    let utc = || super::datetime::parse_zone("UTC");
    match text.trim() {
        text if text.parse::<i32>().is_ok() => DataType::Int32,
        text if text.parse::<i64>().is_ok() => DataType::Int64,
        text if text.parse::<f64>().is_ok() => DataType::Float64,
        text if text.len() == 10 && parse_date(text).is_some() => DataType::Date32,
        text if text.len() > 10 && utc().and_then(|utc| parse_timestamp(text, utc)).is_some() => {
            crate::types::timestamp()
        }
        text if matches!(text.to_lowercase().as_str(), "true" | "false") => DataType::Boolean,
        _ => DataType::Utf8,
    }
}
