//! Arrays: their elements by position, their lengths, series of values.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, ListArray, UInt32Array, make_array, new_empty_array,
    new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, take};
use arrow::datatypes::{ArrowNativeType, DataType, Field, Int32Type, IntervalYearMonthType, UInt64Type};
use chrono::Months;
use datafusion::error::Result as EngineResult;

use super::datetime::{date_of, days};
use super::native::{Args, Table};
use crate::error::{ErrorClass, Result, SparkError};

pub(super) const TABLE: Table = &[
    (Element::Index.function(), "", ' ', |a| element(a, Element::Index)),
    (Element::At.function(), "", ' ', |a| element(a, Element::At)),
    (Element::TryAt.function(), "", ' ', |a| element(a, Element::TryAt)),
    (Element::Get.function(), "", ' ', |a| element(a, Element::Get)),
    (SIZE, "", ' ', size),
    (MEMBERS, "", ' ', members),
    (SERIES, "", ' ', series),
    (DATES, "", ' ', dates),
    (TIMES, "", ' ', times),
];

/// The number of elements of an array or a map.
pub(super) const SIZE: &str = "spark.size";
/// Whole numbers from a first to a last one by steps.
pub(super) const SERIES: &str = "spark.sequence";
/// Days from a first to a last one by days or months.
pub(super) const DATES: &str = "spark.sequence_of_dates";

/// Instants or wall clocks from a first to a last one by months and microseconds.
pub(super) const TIMES: &str = "spark.sequence_of_times";

/// A member of each struct.
pub(super) const MEMBERS: &str = "spark.members";

/// The ways to name an element by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// `array[0]`: counted from zero, and an error outside.
    Index,
    /// `element_at`: counted from one, or from the end, and an error outside.
    At,
    /// `try_element_at`.
    TryAt,
    /// `get`: counted from zero.
    Get,
}

impl Element {
    /// The function of [`TABLE`], which takes the array and a position of 64 bits.
    pub(super) const fn function(self) -> &'static str {
        match self {
            Self::Index => "spark.element",
            Self::At => "spark.element_at",
            Self::TryAt => "spark.try_element_at",
            Self::Get => "spark.get",
        }
    }

    /// Where the element lies in an array of `length`; none for NULL.
    fn position(self, index: i64, length: usize) -> Result<Option<usize>> {
        let counted_from_one = matches!(self, Self::At | Self::TryAt);
        let length_given = i64::try_from(length).unwrap_or(i64::MAX);
        let position = match index {
            0 if counted_from_one => {
                let message =
                    "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).";
                return Err(SparkError::new(ErrorClass::Runtime, "INVALID_INDEX_OF_ZERO", "22003", message));
            }
            index if !counted_from_one => index,
            index if index > 0 => index - 1,
            index => length_given.saturating_add(index),
        };
        let (condition, instead) = match self {
            _ if (0..length_given).contains(&position) => return Ok(usize::try_from(position).ok()),
            Self::TryAt | Self::Get => return Ok(None),
            Self::Index => ("INVALID_ARRAY_INDEX", "get()"),
            Self::At => ("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "try_element_at"),
        };
        let message = format!(
            "The index {index} is out of bounds. The array has {length} elements. Use `{instead}` to tolerate accessing \
             element at invalid index and return NULL instead."
        );
        Err(SparkError::new(ErrorClass::ArrayIndex, condition, "22003", message)
            .with("indexValue", index.to_string())
            .with("arraySize", length.to_string()))
    }
}

fn element(args: &Args<'_>, by: Element) -> EngineResult<ArrayRef> {
    let lists = args.columns[0].as_list::<i32>();
    let rows = (0..args.rows).map(|row| match args.long(1, row) {
        Some(index) if lists.is_valid(row) => {
            let position = by.position(index, lists.value_length(row).as_usize())?;
            Ok(position.and_then(|at| u32::try_from(lists.value_offsets()[row].as_usize() + at).ok()))
        }
        _ => Ok(None),
    });
    let positions: UInt32Array = rows.collect::<Result<_>>()?;
    Ok(take(lists.values(), &positions, None)?)
}

fn members(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let lists = args.columns[0].as_list::<i32>();
    let structs = lists.values().as_struct();
    let DataType::List(item) = args.result else {
        return Err(SparkError::internal("an array has the type of one").into());
    };
    if args.rows == 0 {
        return Ok(new_empty_array(args.result));
    }
    let member = structs.column(args.columns[1].as_primitive::<UInt64Type>().value(0).as_usize());
    // Of a struct that is NULL it is NULL too.
    let nulls = NullBuffer::union(structs.nulls(), member.logical_nulls().as_ref());
    let member = make_array(member.to_data().into_builder().nulls(nulls).build()?);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), lists.offsets().clone(), member, lists.nulls().cloned())?))
}

fn size(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let array = &args.columns[0];
    args.numbers::<Int32Type>(|row| {
        Ok(match array.data_type() {
            _ if array.is_null(row) => None,
            DataType::List(_) => Some(array.as_list::<i32>().value_length(row)),
            DataType::Map(..) => Some(array.as_map().value_length(row)),
            _ => None,
        })
    })
}

fn series(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let lists = (0..args.rows).map(|row| {
        let (Some(first), Some(last)) = (args.long(0, row), args.long(1, row)) else { return Ok(None) };
        let step = match args.columns.len() {
            3 => args.long(2, row),
            _ => Some(if first <= last { 1 } else { -1 }),
        };
        let Some(step) = step else { return Ok(None) };
        if (step == 0 && first != last) || (step > 0 && first > last) || (step < 0 && first < last) {
            return Err(bad_bounds(first, last, step).into());
        }
        if step == 0 {
            return Ok(Some(vec![first]));
        }
        let next = |value: &i64| value.checked_add(step).filter(|v| if step > 0 { *v <= last } else { *v >= last });
        within_limits(std::iter::successors(Some(first), next)).map(Some)
    });
    let lists = lists.collect::<EngineResult<Vec<_>>>()?;
    list_of(args, &lists, |values| Arc::new(Int64Array::from(values)))
}

fn dates(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let by_months = args.columns.get(2).and_then(|step| step.as_primitive_opt::<IntervalYearMonthType>());
    let lists = (0..args.rows).map(|row| {
        let (Some(first), Some(last)) = (args.date(0, row), args.date(1, row)) else { return Ok(None) };
        let step = match (by_months, args.columns.len()) {
            (Some(months), _) => months.is_valid(row).then(|| months.value(row)),
            (None, 3) => args.int(2, row),
            (None, _) => Some(if first <= last { 1 } else { -1 }),
        };
        let Some(step) = step else { return Ok(None) };
        if (step == 0 && first != last) || (step > 0 && first > last) || (step < 0 && first < last) {
            return Err(bad_bounds(first.into(), last.into(), step.into()).into());
        }
        let day = |number: i32| {
            let moved = step.checked_mul(number)?;
            match by_months {
                None => first.checked_add(moved),
                Some(_) if moved < 0 => days(date_of(first)?.checked_sub_months(Months::new(moved.unsigned_abs()))?),
                Some(_) => days(date_of(first)?.checked_add_months(Months::new(moved.unsigned_abs()))?),
            }
        };
        let inside = |day: &i32| if step >= 0 { *day <= last } else { *day >= last };
        let count = if step == 0 { 1 } else { i32::MAX };
        within_limits((0..count).map_while(|number| day(number).filter(inside))).map(Some)
    });
    let lists = lists.collect::<EngineResult<Vec<_>>>()?;
    list_of(args, &lists, |values| Arc::new(Int32Array::from(values)))
}

fn times(args: &Args<'_>) -> EngineResult<ArrayRef> {
    const DAY: i64 = 86_400_000_000;
    let with_zone =
        matches!(args.result, DataType::List(item) if matches!(item.data_type(), DataType::Timestamp(_, Some(_))));
    let zone = if with_zone { super::time::zone(args.zone)? } else { super::time::zone("UTC")? };
    let lists = (0..args.rows).map(|row| {
        let (Some(first), Some(last)) = (args.micros(0, row), args.micros(1, row)) else { return Ok(None) };
        let step = match args.columns.len() {
            4 => args.int(2, row).zip(args.long(3, row)),
            _ => Some((0, if first <= last { DAY } else { -DAY })),
        };
        let Some((months, micros)) = step else { return Ok(None) };
        let direction = i64::from(months) + micros.signum();
        if (direction == 0 && first != last) || (direction > 0 && first > last) || (direction < 0 && first < last) {
            return Err(bad_bounds(first, last, direction).into());
        }
        let time = |number: i64| {
            let by_months = super::time::added("MONTH", i64::from(months).checked_mul(number)?, first, zone).ok()??;
            by_months.checked_add(micros.checked_mul(number)?)
        };
        let inside = |time: &i64| if direction >= 0 { *time <= last } else { *time >= last };
        let count = if direction == 0 { 1 } else { i64::MAX };
        within_limits((0..count).map_while(|number| time(number).filter(inside))).map(Some)
    });
    let lists = lists.collect::<EngineResult<Vec<_>>>()?;
    list_of(args, &lists, |values| Arc::new(Int64Array::from(values)))
}

/// The items, unless they are more than an array may have.
fn within_limits<T>(items: impl Iterator<Item = T>) -> EngineResult<Vec<T>> {
    const MOST: usize = i32::MAX as usize - 15;
    let items: Vec<T> = items.take(MOST + 1).collect();
    if items.len() > MOST {
        let message = "A sequence has more elements than an array can have.";
        let condition = "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER";
        return Err(SparkError::new(ErrorClass::Runtime, condition, "54000", message).into());
    }
    Ok(items)
}

fn bad_bounds(first: i64, last: i64, step: i64) -> SparkError {
    let message = format!("Illegal sequence boundaries: {first} to {last} by {step}.");
    SparkError::new(ErrorClass::Runtime, "ILLEGAL_SEQUENCE_BOUNDARIES", "22023", message)
}

/// Lists of the result's type.
fn list_of<T: Copy>(
    args: &Args<'_>,
    lists: &[Option<Vec<T>>],
    values: impl Fn(Vec<T>) -> ArrayRef,
) -> EngineResult<ArrayRef> {
    let DataType::List(item) = args.result else { return Ok(new_null_array(args.result, args.rows)) };
    let lengths = lists.iter().map(|list| list.as_ref().map_or(0, Vec::len));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls: NullBuffer = lists.iter().map(Option::is_some).collect();
    let items = cast(&values(lists.iter().flatten().flatten().copied().collect()), item.data_type())?;
    let item = Arc::new(Field::new_list_field(item.data_type().clone(), true));
    Ok(cast(&ListArray::try_new(item, offsets, items, Some(nulls))?, args.result)?)
}
