//! CSV: lines of separated values.

mod convert;
mod infer;
mod options;
mod source;
mod tokens;

use std::sync::Arc;

use arrow::array::{Array, StringArray, StringBuilder};
use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use sheetbend_plan::ddl;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

pub(crate) use convert::is_supported;
pub(crate) use options::{byte, delimiter};

use crate::Files;
use crate::error::{no_schema, unreadable, unsupported_type};
use crate::parse::{TextFormat, TextRows};
use crate::records::{Assembly, Corrupt, Mode, Rows, mark};
use crate::scan::{BATCH_BYTES, BATCH_ROWS, Batches, Part, Reading, RowFormat, RowTable};
use crate::schema::{nullable_fields, same_name};
use crate::table::Found;
use options::CsvOptions;
use source::Source;
use tokens::Record;

/// The table of CSV files.
///
/// # Errors
/// No file to tell the columns, a column of a type that CSV has not, a value that an option does not take.
pub(crate) async fn open(found: Found) -> Result<Arc<dyn TableProvider>> {
    let settings = &found.files.settings;
    let options = CsvOptions::of(&found.files.options, &settings.time_zone)?;
    let given = match found.given_columns() {
        Some(given) => given,
        None if found.data.is_empty() => return Err(no_schema(found.files.format)),
        None => {
            let (data, options, case_sensitive) = (found.data.clone(), options.clone(), settings.case_sensitive);
            let task = tokio::task::spawn_blocking(move || {
                let sources = data.into_iter().map(|file| Source::open(&Part::whole(&file), &options));
                infer::columns(sources, &options, case_sensitive)
            });
            task.await.map_err(SparkError::internal)??
        }
    };
    let columns = found.columns(given)?;
    Ok(Arc::new(RowTable::of(found, columns)?))
}

/// What reads records of one text each. Those that are known tell the columns, unless the user gave them, and the header.
///
/// # Errors
/// As of [`open`]; a header that is not that of the columns, where the user wants to know.
pub(crate) fn of_texts(files: &Files, known: &StringArray) -> Result<TextRows> {
    let settings = &files.settings;
    let options = CsvOptions::of(&files.options, &settings.time_zone)?.of_texts();
    let columns = match &files.schema {
        Some(schema) => nullable_fields(schema.fields()),
        None => {
            let texts = Source::of(known.clone(), &options);
            infer::columns(std::iter::once(Ok(texts)), &options, settings.case_sensitive)?
        }
    };
    let header = known.iter().flatten().find(|text| options.header && !options.is_skipped(text.as_bytes()));
    let reading = Reading::of(files, Arc::new(Schema::new(columns)), true);
    let format = CsvFormat::of(&reading)?;
    if let Some(header) = header {
        format.skip_header(&mut Source::of(StringArray::from(vec![header]), &format.options))?;
    }
    Ok(TextRows { reading, header: header.map(str::to_owned), format: Arc::new(format) })
}

#[derive(Debug)]
pub(crate) struct CsvFormat {
    options: CsvOptions,
    assembly: Assembly,
    case_sensitive: bool,
}

impl RowFormat for CsvFormat {
    fn read<'a>(&'a self, part: &Part, columns: &'a [usize]) -> Result<Batches<'a>> {
        self.assembly.check(columns)?;
        let mut source = Source::open(part, &self.options)?;
        if self.options.header && part.is_first() {
            self.skip_header(&mut source)?;
        }
        Ok(self.batches(source, columns))
    }

    fn is_lines(&self) -> bool {
        !self.options.multi_line && self.options.line_separator.as_ref().is_none_or(|separator| separator.len() == 1)
    }
}

impl TextFormat for CsvFormat {
    fn read_texts<'a>(&'a self, texts: StringArray, columns: &'a [usize]) -> Batches<'a> {
        self.batches(Source::of(texts, &self.options), columns)
    }
}

/// Rows as text.
struct Chunk {
    texts: Vec<StringBuilder>,
    bad: Vec<bool>,
    records: Vec<Option<String>>,
    rows: usize,
    bytes: usize,
}

impl Chunk {
    fn new(columns: usize) -> Self {
        let texts = (0..columns).map(|_| StringBuilder::new()).collect();
        Self { texts, bad: vec![], records: vec![], rows: 0, bytes: 0 }
    }
}

impl CsvFormat {
    /// # Errors
    /// A column of a type that CSV has not, a value that an option does not take.
    pub(crate) fn of(reading: &Reading) -> Result<Self> {
        let schema = Arc::clone(&reading.columns);
        if let Some(field) = schema.fields().iter().find(|field| !is_supported(field.data_type())) {
            return Err(unsupported_type(reading.format, field.name(), &ddl::sql_name(field.data_type())));
        }
        let options = CsvOptions::of(&reading.options, &reading.time_zone)?;
        let options = if reading.of_texts { options.of_texts() } else { options };
        let corrupt = Corrupt::of(&reading.options, &schema)?;
        let assembly = Assembly { schema, mode: options.mode, corrupt };
        Ok(Self { options, assembly, case_sensitive: reading.case_sensitive })
    }

    fn batches<'a>(&'a self, mut source: Source<'a>, columns: &'a [usize]) -> Batches<'a> {
        let mut record = Record::default();
        let mut done = false;
        Box::new(std::iter::from_fn(move || {
            let mut chunk = Chunk::new(columns.len());
            while !done && chunk.rows < BATCH_ROWS && chunk.bytes < BATCH_BYTES {
                match source.next(&mut record) {
                    Ok(true) => self.push(&record, &source, columns, &mut chunk),
                    Ok(false) => done = true,
                    Err(error) => return Some(Err(error)),
                }
            }
            (chunk.rows > 0).then(|| self.batch(chunk, &source, columns))
        }))
    }

    /// How many values a record should have.
    fn width(&self) -> usize {
        self.assembly.schema.fields().len() - usize::from(self.assembly.corrupt.at.is_some())
    }

    /// The position of a column's value in a record: the text of corrupt records is none of them.
    fn token(&self, column: usize) -> usize {
        column - usize::from(self.assembly.corrupt.at.is_some_and(|at| at < column))
    }

    /// As Spark does, rows of another length are only noticed where all columns are read.
    fn checks_length(&self, columns: &[usize]) -> bool {
        self.assembly.keeps_texts(columns) || columns.len() == self.assembly.schema.fields().len()
    }

    fn push(&self, record: &Record, source: &Source<'_>, columns: &[usize], chunk: &mut Chunk) {
        let mut text = String::new();
        for (column, texts) in columns.iter().zip(&mut chunk.texts) {
            let is_value = Some(*column) != self.assembly.corrupt.at;
            let Some((bytes, quoted)) = record.get(self.token(*column)).filter(|_| is_value) else {
                texts.append_null();
                continue;
            };
            text.clear();
            self.options.encoding.decode(bytes, &mut text);
            texts.append_option(self.options.value(&text, quoted));
        }
        chunk.bad.push(self.checks_length(columns) && record.len() != self.width());
        if self.assembly.keeps_texts(columns) {
            let mut text = String::new();
            self.options.encoding.decode(source.last(), &mut text);
            chunk.records.push(Some(text));
        }
        chunk.rows += 1;
        chunk.bytes += source.last().len();
    }

    fn batch(&self, chunk: Chunk, source: &Source<'_>, columns: &[usize]) -> Result<arrow::array::RecordBatch> {
        let texts: Vec<StringArray> = chunk.texts.into_iter().map(|mut texts| texts.finish()).collect();
        let rows = Rows { bad: chunk.bad, texts: chunk.records };
        self.assembly.batch(columns, source.path(), rows, |column, bad| {
            let at = columns.iter().position(|other| *other == column).unwrap_or_default();
            let values = convert::column(&texts[at], self.assembly.schema.field(column).data_type(), &self.options)?;
            mark(&texts[at] as &dyn Array, values.as_ref(), bad);
            Ok(values)
        })
    }

    fn skip_header(&self, source: &mut Source<'_>) -> Result<()> {
        let mut record = Record::default();
        if !source.next(&mut record)? || self.options.enforce_schema {
            return Ok(());
        }
        let names: Vec<_> = infer::texts(&record, &self.options).into_iter().map(Option::unwrap_or_default).collect();
        let expected: Vec<_> = self.value_names(&self.assembly.schema);
        let same = names.len() == expected.len()
            && names.iter().zip(&expected).all(|(left, right)| same_name(left, right, self.case_sensitive));
        if same || self.options.mode == Mode::DropMalformed {
            return Ok(());
        }
        let (names, expected) = (names.join(", "), expected.join(", "));
        let what =
            format!("CSV header does not conform to the schema. The header is: {names}. The schema is: {expected}.");
        match source.path().as_os_str().is_empty() {
            true => Err(SparkError::new(ErrorClass::IllegalArgument, "_LEGACY_ERROR_TEMP_3241", "", what)),
            false => Err(unreadable("NO_HINT", source.path(), what)),
        }
    }

    fn value_names(&self, schema: &Schema) -> Vec<String> {
        let values = (0..schema.fields().len()).filter(|at| Some(*at) != self.assembly.corrupt.at);
        values.map(|at| schema.field(at).name().clone()).collect()
    }
}
