//! JSON: a value a line, or a file of them.

mod convert;
mod infer;
mod source;
mod value;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use sheetbend_plan::error::{Result, SparkError};

use crate::Files;
use crate::error::no_schema;
use crate::lines::{Encoding, separator};
use crate::options::Options;
use crate::parse::{TextFormat, TextRows};
use crate::records::{Assembly, Corrupt, Mode, Rows, Times};
use crate::scan::{BATCH_BYTES, BATCH_ROWS, Batches, Part, Reading, RowFormat, RowTable};
use crate::schema::nullable_fields;
use crate::table::Found;
use convert::{Slot, column};
use source::Texts;
use value::{Allowed, Json};

/// Options that change rows, and are not supported.
const REFUSED: &[&str] = &["dropFieldIfAllNull", "locale", "singleVariantColumn"];

/// How JSON files are read.
#[derive(Debug, Clone)]
struct JsonOptions {
    allowed: Allowed,
    /// A file is one value.
    multi_line: bool,
    line_separator: Option<Vec<u8>>,
    encoding: Encoding,
    primitives_as_text: bool,
    prefers_decimal: bool,
    infer_timestamp: bool,
    times: Times,
    mode: Mode,
    /// The values do not stand in files.
    of_texts: bool,
}

impl JsonOptions {
    fn of(options: &Options, time_zone: &str, of_texts: bool) -> Result<Self> {
        options.refuse("JSON", REFUSED)?;
        Ok(Self {
            allowed: Allowed::of(options)?,
            multi_line: options.flag("multiLine", false)?,
            line_separator: separator(options.get("lineSep"))?,
            encoding: Encoding::named(options.first(&["encoding", "charset"]))?,
            primitives_as_text: options.flag("primitivesAsString", false)?,
            prefers_decimal: options.flag("prefersDecimal", false)?,
            infer_timestamp: options.flag("inferTimestamp", false)?,
            times: Times::of(options, time_zone)?,
            mode: Mode::of(options),
            of_texts,
        })
    }
}

/// The table of JSON files.
///
/// # Errors
/// No file to tell the columns, a value that an option does not take.
pub(crate) async fn open(found: Found) -> Result<Arc<dyn TableProvider>> {
    let options = JsonOptions::of(&found.files.options, &found.files.settings.time_zone, false)?;
    let given = match found.given_columns() {
        Some(given) => given,
        None if found.data.is_empty() => return Err(no_schema(found.files.format)),
        None => {
            let (data, options, corrupt) = (found.data.clone(), options.clone(), Corrupt::name(&found.files.options));
            let task = tokio::task::spawn_blocking(move || {
                let sources = data.into_iter().map(|file| Texts::open(&Part::whole(&file), &options));
                infer::columns(sources, &options, &corrupt)
            });
            task.await.map_err(SparkError::internal)??
        }
    };
    let columns = found.columns(given)?;
    Ok(Arc::new(RowTable::of(found, columns)?))
}

/// What reads texts. Those that are known tell the columns, unless the user gave them.
///
/// # Errors
/// A value that an option does not take.
pub(crate) fn of_texts(files: &Files, known: &StringArray) -> Result<TextRows> {
    let options = JsonOptions::of(&files.options, &files.settings.time_zone, true)?;
    let columns = match &files.schema {
        Some(schema) => nullable_fields(schema.fields()),
        None => {
            let texts = std::iter::once(Ok(Texts::of(known.clone())));
            infer::columns(texts, &options, &Corrupt::name(&files.options))?
        }
    };
    let reading = Reading::of(files, Arc::new(Schema::new(columns)), true);
    let format = Arc::new(JsonFormat::of(&reading)?);
    Ok(TextRows { reading, header: None, format })
}

#[derive(Debug)]
pub(crate) struct JsonFormat {
    options: JsonOptions,
    assembly: Assembly,
}

impl RowFormat for JsonFormat {
    fn read<'a>(&'a self, part: &Part, columns: &'a [usize]) -> Result<Batches<'a>> {
        self.assembly.check(columns)?;
        Ok(self.batches(Texts::open(part, &self.options)?, columns, part.path.clone()))
    }

    fn is_lines(&self) -> bool {
        !self.options.multi_line && self.options.line_separator.as_ref().is_none_or(|separator| separator.len() == 1)
    }
}

impl TextFormat for JsonFormat {
    fn read_texts<'a>(&'a self, texts: StringArray, columns: &'a [usize]) -> Batches<'a> {
        self.batches(Texts::of(texts), columns, PathBuf::new())
    }
}

/// A row, and the text that it comes from; none where that is no row.
struct Row<'t> {
    json: Option<Json<'t>>,
    text: &'t str,
}

impl JsonFormat {
    /// # Errors
    /// A value that an option does not take.
    pub(crate) fn of(reading: &Reading) -> Result<Self> {
        let options = JsonOptions::of(&reading.options, &reading.time_zone, reading.of_texts)?;
        let schema = Arc::clone(&reading.columns);
        let corrupt = Corrupt::of(&reading.options, &schema)?;
        let assembly = Assembly { schema, mode: options.mode, corrupt };
        Ok(Self { options, assembly })
    }

    fn batches<'a>(&'a self, mut texts: Texts, columns: &'a [usize], path: PathBuf) -> Batches<'a> {
        let mut done = false;
        Box::new(std::iter::from_fn(move || {
            let (mut chunk, mut bytes) = (vec![], 0);
            while !done && chunk.len() < BATCH_ROWS && bytes < BATCH_BYTES {
                let mut text = String::new();
                match texts.next(&mut text) {
                    Ok(true) => {
                        bytes += text.len();
                        chunk.push(text);
                    }
                    Ok(false) => done = true,
                    Err(error) => return Some(Err(error)),
                }
            }
            (!chunk.is_empty()).then(|| self.batch(&chunk, columns, &path))
        }))
    }

    fn batch(&self, texts: &[String], columns: &[usize], path: &Path) -> Result<RecordBatch> {
        let mut rows = vec![];
        for text in texts {
            match self.options.allowed.parse(text) {
                Ok(None) => {}
                Ok(Some(json @ Json::Object(..))) => rows.push(Row { json: Some(json), text }),
                Ok(Some(Json::Array(items, _))) if items.iter().all(is_row) => {
                    rows.extend(items.into_iter().map(|item| Row { json: Some(item), text }));
                }
                _ => rows.push(Row { json: None, text }),
            }
        }
        let keeps = self.assembly.keeps_texts(columns);
        let found = Rows {
            bad: rows.iter().map(|row| row.json.is_none()).collect(),
            texts: if keeps { rows.iter().map(|row| Some(row.text.to_owned())).collect() } else { vec![] },
        };
        self.assembly.batch(columns, path, found, |at, bad| {
            let field = self.assembly.schema.field(at);
            let slots = rows.iter().enumerate();
            let slots: Vec<_> = slots
                .map(|(row, found)| Slot {
                    value: found.json.as_ref().and_then(|json| json.get(field.name(), at)),
                    row,
                })
                .collect();
            column(&slots, field.data_type(), &self.options, bad)
        })
    }
}

fn is_row(json: &Json<'_>) -> bool {
    matches!(json, Json::Object(..) | Json::Null)
}
