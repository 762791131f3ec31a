//! DDL text, JSON schemas and the names of types.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};
use sheetbend_plan::ddl::{parse_data_type, parse_schema, sql_name, type_name};
use sheetbend_plan::error::ErrorClass;

fn list(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

fn map(key: DataType, value: DataType) -> DataType {
    let entries = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

fn structure(fields: Vec<Field>) -> DataType {
    DataType::Struct(fields.into())
}

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

#[test]
fn types() {
    let local = DataType::Timestamp(TimeUnit::Microsecond, None);
    let duration = DataType::Duration(TimeUnit::Microsecond);
    let months = DataType::Interval(IntervalUnit::YearMonth);
    let cases = [
        ("boolean", DataType::Boolean),
        ("tinyint", DataType::Int8),
        ("BYTE", DataType::Int8),
        ("smallint", DataType::Int16),
        ("short", DataType::Int16),
        ("int", DataType::Int32),
        ("Integer", DataType::Int32),
        ("bigint", DataType::Int64),
        ("long", DataType::Int64),
        ("float", DataType::Float32),
        ("real", DataType::Float32),
        ("double", DataType::Float64),
        ("decimal", DataType::Decimal128(10, 0)),
        ("dec(5)", DataType::Decimal128(5, 0)),
        ("numeric( 10 , 2 )", DataType::Decimal128(10, 2)),
        ("string", DataType::Utf8),
        ("varchar(10)", DataType::Utf8),
        ("char(3)", DataType::Utf8),
        ("binary", DataType::Binary),
        ("date", DataType::Date32),
        ("timestamp", instant()),
        ("timestamp_ltz", instant()),
        ("timestamp_ntz", local),
        ("interval day", duration.clone()),
        ("interval day to second", duration.clone()),
        ("INTERVAL HOUR TO MINUTE", duration),
        ("interval year", months.clone()),
        ("interval year to month", months),
        ("void", DataType::Null),
        ("array<int>", list(DataType::Int32)),
        ("array<array<string>>", list(list(DataType::Utf8))),
        ("map<string,array<int>>", map(DataType::Utf8, list(DataType::Int32))),
        ("struct<>", structure(vec![])),
        (
            "struct<a: int, `b c`: string NOT NULL, d array<struct<e:date>>>",
            structure(vec![
                Field::new("a", DataType::Int32, true),
                Field::new("b c", DataType::Utf8, false),
                Field::new("d", list(structure(vec![Field::new("e", DataType::Date32, true)])), true),
            ]),
        ),
        ("\"long\"", DataType::Int64),
        (r#"{"type":"array","elementType":"string","containsNull":true}"#, list(DataType::Utf8)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_data_type(text), Ok(expected), "{text}");
    }
}

#[test]
fn schemas() {
    let comment = HashMap::from([("comment".to_owned(), "it's x".to_owned())]);
    let expected = Schema::new(vec![
        Field::new("a", DataType::Int32, false).with_metadata(comment),
        Field::new(
            "b",
            structure(vec![Field::new("x", DataType::Int32, true), Field::new("y", list(DataType::Utf8), true)]),
            true,
        ),
        Field::new("Date", DataType::Decimal128(10, 2), true),
    ]);
    let text = "a INT NOT NULL COMMENT 'it\\'s x', b: STRUCT<x: INT, y: ARRAY<STRING>>, Date DECIMAL(10,2)";
    assert_eq!(parse_schema(text), Ok(expected));
    assert_eq!(parse_schema("struct<a: int>"), Ok(Schema::new(vec![Field::new("a", DataType::Int32, true)])));
    assert_eq!(parse_schema(""), Ok(Schema::empty()));
}

#[test]
fn json_schema() {
    let text = r#"{"type":"struct","fields":[
        {"name":"id","type":"long","nullable":false,"metadata":{"comment":"key","n":1}},
        {"name":"m","type":{"type":"map","keyType":"string","valueType":"timestamp_ntz","valueContainsNull":true},
         "nullable":true,"metadata":{}},
        {"name":"p","type":"decimal(5,1)","nullable":true}]}"#;
    let metadata = HashMap::from([("comment".to_owned(), "key".to_owned()), ("n".to_owned(), "1".to_owned())]);
    let local = DataType::Timestamp(TimeUnit::Microsecond, None);
    let expected = Schema::new(vec![
        Field::new("id", DataType::Int64, false).with_metadata(metadata),
        Field::new("m", map(DataType::Utf8, local), true),
        Field::new("p", DataType::Decimal128(5, 1), true),
    ]);
    assert_eq!(parse_schema(text), Ok(expected));
}

#[test]
fn errors() {
    let deep = "array<".repeat(10_000);
    let deep_json = r#"{"type":"array","elementType":"#.repeat(10_000);
    let cases = [
        ("foo", "UNSUPPORTED_DATATYPE", "0A000"),
        ("blob(10)", "UNSUPPORTED_DATATYPE", "0A000"),
        ("decimal(5,7)", "UNSUPPORTED_DATATYPE", "0A000"),
        ("decimal(39,0)", "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003"),
        ("array<int", "PARSE_SYNTAX_ERROR", "42601"),
        ("array int", "PARSE_SYNTAX_ERROR", "42601"),
        ("int int", "PARSE_SYNTAX_ERROR", "42601"),
        ("", "PARSE_SYNTAX_ERROR", "42601"),
        (r#"{"type":"struct"}"#, "INVALID_JSON_DATA_TYPE", "2203G"),
        (r#"{"type""#, "INVALID_JSON_DATA_TYPE", "2203G"),
        (&deep, "FAILED_TO_PARSE_TOO_COMPLEX", "54001"),
        (&deep_json, "INVALID_JSON_DATA_TYPE", "2203G"),
    ];
    for (text, condition, sql_state) in cases {
        let error = parse_data_type(text).unwrap_err();
        let shown = (error.class, error.condition.as_str(), error.sql_state.as_str());
        assert_eq!(shown, (ErrorClass::Parse, condition, sql_state), "{text:.40}");
    }
    let error = parse_data_type("blob(10)").unwrap_err();
    assert_eq!(error.parameters.get("typeName").map(String::as_str), Some("\"BLOB(10)\""));
    let error = parse_schema("a INT,\n b ARRAY").unwrap_err();
    assert_eq!(error.message, "Syntax error at or near end of input.");
    let error = parse_schema("a INT,\n b INT x").unwrap_err();
    assert_eq!(error.message, "Syntax error at or near 'x'. (line 2, pos 7)");
}

#[test]
fn names() {
    let nested = structure(vec![Field::new("a", DataType::Int32, false), Field::new("b c", DataType::Utf8, true)]);
    let cases = [
        (DataType::Int64, "bigint", "BIGINT"),
        (DataType::UInt32, "bigint", "BIGINT"),
        (DataType::Utf8View, "string", "STRING"),
        (DataType::Decimal128(10, 2), "decimal(10,2)", "DECIMAL(10,2)"),
        (instant(), "timestamp", "TIMESTAMP"),
        (DataType::Timestamp(TimeUnit::Nanosecond, None), "timestamp_ntz", "TIMESTAMP_NTZ"),
        (DataType::Duration(TimeUnit::Microsecond), "interval day to second", "INTERVAL DAY TO SECOND"),
        (DataType::Interval(IntervalUnit::YearMonth), "interval year to month", "INTERVAL YEAR TO MONTH"),
        (DataType::Null, "void", "VOID"),
        (list(DataType::Utf8), "array<string>", "ARRAY<STRING>"),
        (map(DataType::Utf8, DataType::Int32), "map<string,int>", "MAP<STRING, INT>"),
        (nested, "struct<a:int,b c:string>", "STRUCT<a: INT NOT NULL, `b c`: STRING>"),
        (DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), "string", "STRING"),
    ];
    for (data_type, simple, sql) in cases {
        assert_eq!((type_name(&data_type).as_str(), sql_name(&data_type).as_str()), (simple, sql));
    }
}

#[test]
fn names_are_read_back() {
    for text in ["array<struct<a:int,b:map<string,decimal(38,18)>>>", "interval year to month", "timestamp_ntz"] {
        let data_type = parse_data_type(text).unwrap();
        assert_eq!(type_name(&data_type), text);
        assert_eq!(parse_data_type(&sql_name(&data_type)), Ok(data_type));
    }
}
