use std::sync::Arc;

use arrow::datatypes::DataType::{self, *};
use arrow::datatypes::{Field, IntervalUnit, Schema, TimeUnit};
use sheetbend_datasource::types::Widening::{Checked, Safe, Same};
use sheetbend_datasource::types::{table_schema, table_type, widening};

fn list(of: DataType) -> DataType {
    List(Arc::new(Field::new_list_field(of, true)))
}

#[test]
fn types_of_the_table_are_types_of_the_table() {
    let dictionary = Dictionary(Box::new(Int8), Box::new(LargeUtf8));
    for source in [
        LargeUtf8,
        BinaryView,
        FixedSizeBinary(3),
        FixedSizeList(Arc::new(Field::new_list_field(Utf8View, true)), 2),
        UInt8,
        UInt64,
        Float16,
        Date64,
        Time32(TimeUnit::Second),
        Duration(TimeUnit::Nanosecond),
        Decimal32(9, 2),
        Decimal64(18, -3),
        Decimal256(38, 38),
        Decimal256(76, 10),
        list(dictionary),
        Timestamp(TimeUnit::Second, None),
    ] {
        let table = table_type(&source, "c").unwrap();
        assert_eq!(table_type(&table, "c").unwrap(), table);
        assert!(widening(&source, &table).is_some(), "{source} becomes {table}");
    }
}

#[test]
fn fields_keep_name_nullability_and_metadata() {
    let metadata = std::collections::HashMap::from([("k".to_owned(), "v".to_owned())]);
    let field = Field::new("f", UInt8, false).with_metadata(metadata.clone());
    let table = table_schema(&Schema::new_with_metadata(vec![field.clone()], metadata.clone())).unwrap();
    assert_eq!(table.field(0), &field.with_data_type(Int16));
    assert_eq!(table.metadata(), &metadata);
}

#[test]
fn integers_widen_where_all_values_fit() {
    let signed = [Int8, Int16, Int32, Int64];
    let unsigned = [UInt8, UInt16, UInt32, UInt64];
    for (i, from) in signed.iter().enumerate() {
        for (j, to) in signed.iter().enumerate() {
            let expected = if i == j { Some(Same) } else { (i < j).then_some(Safe) };
            assert_eq!(widening(from, to), expected, "{from} to {to}");
            assert_eq!(widening(&unsigned[i], to), (i < j).then_some(Safe), "{} to {to}", unsigned[i]);
            assert_eq!(widening(from, &unsigned[j]), None, "{from} to {}", unsigned[j]);
        }
    }
    assert_eq!(widening(&UInt64, &Decimal128(20, 0)), Some(Safe));
    assert_eq!(widening(&UInt64, &Decimal128(19, 0)), None);
}

#[test]
fn the_most_doubtful_member_counts() {
    let pair = |a, b| Struct(vec![Field::new("a", a, true), Field::new("b", b, true)].into());
    let nano = Timestamp(TimeUnit::Nanosecond, None);
    let micro = Timestamp(TimeUnit::Microsecond, None);
    assert_eq!(widening(&pair(Int32, nano.clone()), &pair(Int64, micro.clone())), Some(Checked));
    assert_eq!(widening(&pair(Int64, nano.clone()), &pair(Int32, micro.clone())), None);
    assert_eq!(widening(&list(nano), &list(micro)), Some(Checked));
    assert_eq!(widening(&Null, &pair(Int64, Utf8)), Some(Safe));
}

#[test]
fn an_extension_type_stays_one_where_its_values_do() {
    let metadata = std::collections::HashMap::from([
        ("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned()),
        ("k".to_owned(), "v".to_owned()),
    ]);
    let field = |data_type| Field::new("f", data_type, true).with_metadata(metadata.clone());
    let table = table_schema(&Schema::new(vec![field(Utf8), field(FixedSizeBinary(16))])).unwrap();
    assert_eq!(table.field(0).metadata().len(), 2);
    assert_eq!(table.field(1).metadata().keys().collect::<Vec<_>>(), ["k"]);
}

#[test]
fn a_type_that_no_table_has_is_named_with_its_column() {
    let days = Interval(IntervalUnit::DayTime);
    let inner = Struct(vec![Field::new("b", list(days), true)].into());
    let unknown = table_schema(&Schema::new(vec![Field::new("a", inner, true)])).unwrap_err();
    assert_eq!(unknown.column, "a.b");
    assert!(unknown.data_type.contains("DayTime"), "{unknown}");
    assert!(table_type(&Decimal256(76, 40), "c").is_err());
    assert!(table_type(&Decimal128(38, -1), "c").is_err());
}
