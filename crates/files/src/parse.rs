//! Texts of a column that are read as rows, as the lines of a file are: `spark.read.json(df)`.

use std::any::Any;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, ListArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, concat, concat_batches, filter};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use serde::{Deserialize, Serialize};
use sheetbend_plan::error::{Result, SparkError};

use crate::scan::{Batches, Reading};
use crate::{FileFormat, Files, csv, json};

/// How many texts tell how the others are read; none for all of them.
///
/// # Errors
/// A value that an option does not take.
pub fn told_by(files: &Files) -> Result<Option<usize>> {
    let (is_csv, is_given) = (files.format == FileFormat::Csv, files.schema.is_some());
    let has_header = is_csv && files.options.flag("header", false)?;
    let has_names_alone = is_csv && !files.options.flag("inferSchema", false)?;
    Ok(match is_given {
        true => Some(usize::from(has_header)),
        false => has_names_alone.then_some(1),
    })
}

/// A function that makes an array of rows of each text. `known` are the texts that [`told_by`] asks for.
///
/// # Errors
/// A format that has no texts, options that it does not take, columns that it cannot have.
pub fn parser(files: &Files, known: &[RecordBatch]) -> Result<ScalarUDF> {
    let known = known.iter().map(|batch| cast(batch.column(0), &DataType::Utf8)).collect::<Result<Vec<_>, _>>();
    let known = known.map_err(SparkError::internal)?;
    let known: Vec<&dyn Array> = known.iter().map(AsRef::as_ref).collect();
    let known = match known.is_empty() {
        true => StringArray::new_null(0),
        false => present(concat(&known).map_err(SparkError::internal)?.as_string())?,
    };
    let rows = match files.format {
        FileFormat::Csv => csv::of_texts(files, &known)?,
        FileFormat::Json => json::of_texts(files, &known)?,
        other => return Err(SparkError::unsupported(format_args!("texts in the format {}", other.title()))),
    };
    Ok(function(rows))
}

fn function(rows: TextRows) -> ScalarUDF {
    let row: FieldRef = Arc::new(Field::new("item", DataType::Struct(rows.reading.columns.fields().clone()), true));
    ScalarUDF::new_from_impl(Parser { rows, row, signature: Signature::any(1, Volatility::Immutable) })
}

/// A parser in a form that can be sent.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sent {
    reading: Reading,
    header: Option<String>,
}

impl Sent {
    /// None of a function that is no parser.
    pub(crate) fn of(function: &ScalarUDF) -> Option<Self> {
        let implementation: &dyn Any = function.inner().as_ref();
        let TextRows { reading, header, .. } = &implementation.downcast_ref::<Parser>()?.rows;
        Some(Self { reading: reading.clone(), header: header.clone() })
    }

    /// # Errors
    /// A value that an option does not take, a format that has no texts.
    pub(crate) fn function(self) -> Result<ScalarUDF> {
        let format = self.reading.text_format()?;
        Ok(function(TextRows { reading: self.reading, header: self.header, format }))
    }
}

/// How texts of a format are read.
pub(crate) trait TextFormat: Debug + Send + Sync {
    /// The rows of texts, of which none is NULL: those columns, by position.
    fn read_texts<'a>(&'a self, texts: StringArray, columns: &'a [usize]) -> Batches<'a>;
}

/// What becomes of texts.
#[derive(Debug)]
pub(crate) struct TextRows {
    pub(crate) reading: Reading,
    /// A text that is no row.
    pub(crate) header: Option<String>,
    pub(crate) format: Arc<dyn TextFormat>,
}

#[derive(Debug)]
struct Parser {
    rows: TextRows,
    row: FieldRef,
    signature: Signature,
}

impl PartialEq for Parser {
    fn eq(&self, other: &Self) -> bool {
        self.rows.reading == other.rows.reading && self.rows.header == other.rows.header
    }
}

impl Eq for Parser {}

impl Hash for Parser {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.row.hash(state);
    }
}

impl ScalarUDFImpl for Parser {
    fn name(&self) -> &str {
        "spark.parse"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Ok(DataType::List(Arc::clone(&self.row)))
    }

    /// All rows stand with the first text: whoever takes them out of their arrays has them one after the other again.
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let count = args.number_rows;
        let texts = args.args.into_iter().map(|arg| arg.into_array(count)).collect::<EngineResult<Vec<_>>>()?;
        let [texts] = texts.as_slice() else { return Err(SparkError::internal("one column of texts").into()) };
        let texts = cast(texts, &DataType::Utf8)?;
        let texts = self.without_header(present(texts.as_string())?)?;
        let columns: Vec<_> = (0..self.rows.reading.columns.fields().len()).collect();
        let batches = self.rows.format.read_texts(texts, &columns).collect::<Result<Vec<_>>>()?;
        let all = concat_batches(&self.rows.reading.columns, &batches)?;
        let rows = all.num_rows();
        let fields = self.rows.reading.columns.fields().clone();
        let structs = StructArray::try_new_with_length(fields, all.columns().to_vec(), None, rows)?;
        let lengths = (0..count).map(|row| if row == 0 { rows } else { 0 });
        let offsets = OffsetBuffer::from_lengths(lengths);
        let lists = ListArray::try_new(Arc::clone(&self.row), offsets, Arc::new(structs), None)?;
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }
}

impl Parser {
    fn without_header(&self, texts: StringArray) -> EngineResult<StringArray> {
        let Some(header) = &self.rows.header else { return Ok(texts) };
        let is_row: BooleanArray = texts.iter().map(|text| Some(text != Some(header))).collect();
        Ok(filter(&texts, &is_row)?.as_string().clone())
    }
}

/// The texts that are not NULL.
fn present(texts: &StringArray) -> Result<StringArray> {
    if texts.null_count() == 0 {
        return Ok(texts.clone());
    }
    let is_there: BooleanArray = texts.iter().map(|text| Some(text.is_some())).collect();
    Ok(filter(texts, &is_there).map_err(SparkError::internal)?.as_string().clone())
}
