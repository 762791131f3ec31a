//! The names of types that Spark prints.

use arrow::datatypes::{DataType, IntervalUnit};

/// What Spark calls a type where it is data: `bigint`, `array<string>`, `struct<a:int>` (`simpleString`).
///
/// A type that Spark has not goes by the name of the one that its values are cast to.
pub fn type_name(data_type: &DataType) -> String {
    name(data_type, &Style { separator: ",", colon: ":", upper: false })
}

/// What Spark calls a type in a message or in SQL: `BIGINT`, `MAP<STRING, INT>`, `STRUCT<a: INT NOT NULL>`.
pub fn sql_name(data_type: &DataType) -> String {
    name(data_type, &Style { separator: ", ", colon: ": ", upper: true })
}

struct Style {
    separator: &'static str,
    colon: &'static str,
    upper: bool,
}

fn name(data_type: &DataType, style: &Style) -> String {
    let word = |text: &str| if style.upper { text.to_uppercase() } else { text.to_owned() };
    match data_type {
        DataType::Null => word("void"),
        DataType::Boolean => word("boolean"),
        DataType::Int8 => word("tinyint"),
        DataType::Int16 | DataType::UInt8 => word("smallint"),
        DataType::Int32 | DataType::UInt16 => word("int"),
        DataType::Int64 | DataType::UInt32 => word("bigint"),
        DataType::UInt64 => word("decimal(20,0)"),
        DataType::Float16 | DataType::Float32 => word("float"),
        DataType::Float64 => word("double"),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => word(&format!("decimal({p},{s})")),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => word("string"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            word("binary")
        }
        DataType::Date32 | DataType::Date64 => word("date"),
        DataType::Timestamp(_, Some(_)) => word("timestamp"),
        DataType::Timestamp(_, None) => word("timestamp_ntz"),
        DataType::Time32(_) | DataType::Time64(_) => word("time(6)"),
        DataType::Duration(_) | DataType::Interval(IntervalUnit::DayTime) => word("interval day to second"),
        DataType::Interval(IntervalUnit::YearMonth) => word("interval year to month"),
        DataType::Interval(IntervalUnit::MonthDayNano) => word("interval"),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element)
        | DataType::FixedSizeList(element, _) => {
            format!("{}<{}>", word("array"), name(element.data_type(), style))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                let parts: Vec<String> = fields.iter().map(|f| name(f.data_type(), style)).collect();
                format!("{}<{}>", word("map"), parts.join(style.separator))
            }
            other => format!("{}<{}>", word("map"), name(other, style)),
        },
        DataType::Struct(fields) => {
            let parts: Vec<String> = fields
                .iter()
                .map(|f| {
                    let not_null = if style.upper && !f.is_nullable() { " NOT NULL" } else { "" };
                    let field = if style.upper { quote_if_needed(f.name()) } else { f.name().clone() };
                    format!("{field}{}{}{not_null}", style.colon, name(f.data_type(), style))
                })
                .collect();
            format!("{}<{}>", word("struct"), parts.join(style.separator))
        }
        DataType::Dictionary(_, values) => name(values, style),
        DataType::RunEndEncoded(_, values) => name(values.data_type(), style),
        DataType::Union(..) => word("union"),
    }
}

/// A name in backticks unless it can stand without them.
fn quote_if_needed(name: &str) -> String {
    let plain =
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && name.chars().any(|c| !c.is_ascii_digit());
    if plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}
