//! Functions that call a function of each element: `transform`, `filter`, `aggregate` and their kin.

mod array;
mod map;
mod sort;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take_arrays;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::remove_list_null_values;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::expr::HigherOrderFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};
use serde::{Deserialize, Serialize};

use crate::error::SparkError;
use crate::ir;
use crate::wire;

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum HigherOrder {
    Transform,
    Filter,
    Exists,
    ForAll,
    Aggregate,
    ZipWith,
    ArraySort,
    MapFilter,
    MapZipWith,
    TransformKeys,
    TransformValues,
}

impl HigherOrder {
    /// The function of this name in lower case. `array_sort` is one where it is given a function.
    pub(crate) fn of(name: &str, args: &[ir::Expr]) -> Option<Self> {
        Some(match name {
            "transform" => Self::Transform,
            "filter" => Self::Filter,
            "exists" => Self::Exists,
            "forall" => Self::ForAll,
            "aggregate" | "reduce" => Self::Aggregate,
            "zip_with" => Self::ZipWith,
            "array_sort" if args.len() > 1 => Self::ArraySort,
            "map_filter" => Self::MapFilter,
            "map_zip_with" => Self::MapZipWith,
            "transform_keys" => Self::TransformKeys,
            "transform_values" => Self::TransformValues,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Transform => "spark.transform",
            Self::Filter => "spark.filter",
            Self::Exists => "spark.exists",
            Self::ForAll => "spark.forall",
            Self::Aggregate => "spark.aggregate",
            Self::ZipWith => "spark.zip_with",
            Self::ArraySort => "spark.array_sort",
            Self::MapFilter => "spark.map_filter",
            Self::MapZipWith => "spark.map_zip_with",
            Self::TransformKeys => "spark.transform_keys",
            Self::TransformValues => "spark.transform_values",
        }
    }

    /// The call of values and lambdas whose parameters are typed.
    pub(crate) fn call(self, args: Vec<Expr>, result: DataType) -> Expr {
        let parameters = args.iter().filter_map(|arg| match arg {
            Expr::Lambda(lambda) => Some(lambda.params.len()),
            _ => None,
        });
        let function = Function { kind: self, result, parameters: parameters.collect(), signature: signature() };
        Expr::HigherOrderFunction(HigherOrderFunction::new(Arc::new(HigherOrderUDF::new_from_impl(function)), args))
    }
}

/// The types of a map's keys and values.
pub(crate) fn map_types(data_type: &DataType) -> Option<(&DataType, &DataType)> {
    let DataType::Map(entries, _) = data_type else { return None };
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => Some((fields[0].data_type(), fields[1].data_type())),
        _ => None,
    }
}

fn signature() -> HigherOrderSignature {
    HigherOrderSignature::variadic_any(Volatility::Immutable)
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Function {
    kind: HigherOrder,
    #[serde(with = "wire::types")]
    result: DataType,
    /// How many parameters each lambda names.
    parameters: Vec<usize>,
    #[serde(skip, default = "signature")]
    signature: HigherOrderSignature,
}

impl Function {
    /// The types of what each lambda is called with.
    fn parameter_types(&self, fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>]) -> Option<Vec<Vec<DataType>>> {
        let value = |position: usize| match fields.get(position) {
            Some(ValueOrLambda::Value(field)) => Some(field.data_type()),
            _ => None,
        };
        let item = |position: usize| match value(position)? {
            DataType::List(item) => Some(item.data_type().clone()),
            _ => None,
        };
        let entry = |position: usize| map_types(value(position)?).map(|(key, value)| vec![key.clone(), value.clone()]);
        Some(match self.kind {
            HigherOrder::Transform | HigherOrder::Filter => vec![vec![item(0)?, DataType::Int32]],
            HigherOrder::Exists | HigherOrder::ForAll => vec![vec![item(0)?]],
            HigherOrder::Aggregate => {
                let state = value(1)?.clone();
                vec![vec![state.clone(), item(0)?], vec![state]]
            }
            HigherOrder::ZipWith => vec![vec![item(0)?, item(1)?]],
            HigherOrder::ArraySort => vec![vec![item(0)?, item(0)?]],
            HigherOrder::MapFilter | HigherOrder::TransformKeys | HigherOrder::TransformValues => vec![entry(0)?],
            HigherOrder::MapZipWith => {
                let mut types = entry(0)?;
                types.extend(entry(1)?.pop());
                vec![types]
            }
        })
    }
}

impl HigherOrderUDFImpl for Function {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> EngineResult<LambdaParametersProgress> {
        let types = self.parameter_types(fields).ok_or_else(|| SparkError::internal("a lambda has other arguments"))?;
        let lambdas = types.into_iter().zip(&self.parameters).map(|(types, count)| {
            types.into_iter().take(*count).map(|of| Arc::new(Field::new("parameter", of, true))).collect()
        });
        Ok(LambdaParametersProgress::Complete(lambdas.collect()))
    }

    fn return_field_from_args(&self, _: HigherOrderReturnFieldArgs<'_>) -> EngineResult<FieldRef> {
        Ok(Arc::new(Field::new(self.kind.name(), self.result.clone(), true)))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> EngineResult<ColumnarValue> {
        let rows = args.number_rows;
        let mut call = Invocation { values: vec![], lambdas: vec![], rows, result: &self.result };
        for arg in args.args {
            match arg {
                ValueOrLambda::Value(value) => call.values.push(value.into_array(rows)?),
                ValueOrLambda::Lambda(lambda) => call.lambdas.push(lambda),
            }
        }
        let array = match self.kind {
            HigherOrder::Transform => array::transform(&call)?,
            HigherOrder::Filter => array::filter(&call)?,
            HigherOrder::Exists => array::quantified(&call, true)?,
            HigherOrder::ForAll => array::quantified(&call, false)?,
            HigherOrder::Aggregate => array::aggregate(&call)?,
            HigherOrder::ZipWith => array::zip_with(&call)?,
            HigherOrder::ArraySort => sort::array_sort(&call)?,
            HigherOrder::MapFilter => map::filter(&call)?,
            HigherOrder::MapZipWith => map::zip_with(&call)?,
            HigherOrder::TransformKeys => map::transform(&call, map::Part::Keys)?,
            HigherOrder::TransformValues => map::transform(&call, map::Part::Values)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// The arguments of one call.
struct Invocation<'a> {
    values: Vec<ArrayRef>,
    lambdas: Vec<LambdaArgument>,
    rows: usize,
    result: &'a DataType,
}

impl Invocation<'_> {
    /// What a lambda makes of its arguments, which have a value for each of `rows`: the rows of the batch that they
    /// belong to.
    fn evaluate(&self, lambda: usize, rows: &UInt32Array, arguments: &[ArrayRef]) -> EngineResult<ArrayRef> {
        let closures: Vec<_> = arguments.iter().map(|argument| move || Ok(Arc::clone(argument))).collect();
        let arguments: Vec<&dyn Fn() -> EngineResult<ArrayRef>> =
            closures.iter().map(|closure| closure as &dyn Fn() -> EngineResult<ArrayRef>).collect();
        let lambda = self.lambdas.get(lambda).ok_or_else(|| SparkError::internal("a lambda is missing"))?;
        lambda.evaluate(&arguments, |captured| Ok(take_arrays(captured, rows, None)?))?.into_array(rows.len())
    }

    /// The argument at a position, an array or a map, as elements.
    fn elements(&self, position: usize) -> EngineResult<Elements> {
        Elements::of(&self.values[position])
    }

    /// The type of the elements of the result.
    fn item(&self) -> EngineResult<FieldRef> {
        match self.result {
            DataType::List(item) => Ok(Arc::clone(item)),
            _ => Err(SparkError::internal("an array has the type of one").into()),
        }
    }

    /// Elements as lists of the result's type.
    fn list(&self, offsets: OffsetBuffer<i32>, items: ArrayRef, like: &ListArray) -> EngineResult<ArrayRef> {
        let item = self.item()?;
        let items = arrow::compute::cast(&items, item.data_type())?;
        Ok(Arc::new(ListArray::try_new(item, offsets, items, like.nulls().cloned())?))
    }
}

/// Lists whose elements lie one after the other, from the first, with none behind a NULL.
struct Elements {
    list: ListArray,
    /// The row of each element.
    rows: UInt32Array,
}

impl Elements {
    fn of(array: &ArrayRef) -> EngineResult<Self> {
        let list = match array.data_type() {
            DataType::Map(entries, _) => {
                let map = array.as_map();
                let item = Arc::clone(entries);
                let entries = Arc::new(map.entries().clone());
                Arc::new(ListArray::try_new(item, map.offsets().clone(), entries, map.nulls().cloned())?)
            }
            _ => Arc::clone(array),
        };
        let list = if list.null_count() == 0 { list } else { remove_list_null_values(&list)? };
        let list = list.as_list::<i32>();
        let (first, last) = (list.value_offsets()[0], list.value_offsets()[list.len()]);
        let values = list.values().slice(first as usize, (last - first) as usize);
        let offsets = list.offsets().clone().subtract(first);
        let DataType::List(item) = list.data_type() else {
            return Err(SparkError::internal("a list has the type of one").into());
        };
        let rows = (0_u32..).zip(offsets.lengths()).flat_map(|(row, length)| std::iter::repeat_n(row, length));
        let rows = UInt32Array::from_iter_values(rows);
        Ok(Self { list: ListArray::try_new(Arc::clone(item), offsets, values, list.nulls().cloned())?, rows })
    }

    fn values(&self) -> &ArrayRef {
        self.list.values()
    }

    /// The place of the first element of a row.
    fn start(&self, row: usize) -> usize {
        self.list.value_offsets()[row] as usize
    }

    fn length(&self, row: usize) -> usize {
        self.list.value_length(row) as usize
    }
}
