//! Files as Spark reads and writes them: Parquet, CSV, JSON and text on the file system of this machine.
//!
//! [`open`] makes a table of the files that a reader names, [`write()`] puts the rows of a query into files. What a path
//! finds is in [`listing`], what its folders say of partitions in [`partitions`].

mod csv;
mod error;
mod exec;
mod json;
mod lines;
mod listing;
mod metadata;
mod options;
mod parquet;
mod parse;
mod partitions;
mod parts;
mod path;
mod pattern;
mod records;
mod scan;
mod schema;
mod table;
mod text;
pub mod wire;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use sheetbend_plan::environment::{Settings, Table};
use sheetbend_plan::error::{Result, SparkError};

pub use error::failure;
pub use options::Options;
pub use parse::{parser, told_by};
pub use schema::nullable_fields;
pub use write::{Run, SaveMode, Write, create_folder, is_vacant, move_folder, remove_folder, write};

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileFormat {
    /// Apache Parquet.
    Parquet,
    /// Lines of separated values.
    Csv,
    /// A JSON value a line, or a file of them.
    Json,
    /// Lines.
    Text,
}

impl FileFormat {
    /// The format of this name, without regard to case.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Parquet, Self::Csv, Self::Json, Self::Text];
        all.into_iter().find(|format| format.title().eq_ignore_ascii_case(name))
    }

    /// As Spark's messages call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Text => "Text",
        }
    }
}

/// Files as a reader or writer describes them.
#[derive(Debug, Clone)]
pub struct Files {
    /// What they are.
    pub format: FileFormat,
    /// The options of the reader or writer.
    pub options: Options,
    /// The arguments of `load` or `save`: files, folders, and patterns of them.
    pub paths: Vec<String>,
    /// The columns that the user gave; none to look into the files.
    pub schema: Option<SchemaRef>,
    /// The settings of the session.
    pub settings: Settings,
    /// `spark.sql.sources.partitionColumnTypeInference.enabled`.
    pub infers_partitions: bool,
}

impl Files {
    /// Files of a format. Keys of options are looked up without regard to case.
    pub fn new(format: FileFormat, options: BTreeMap<String, String>, settings: Settings) -> Self {
        let options = Options::new(options);
        Self { format, options, paths: vec![], schema: None, settings, infers_partitions: true }
    }

    /// What is read or written: the arguments, or else the option `path`.
    fn all_paths(&self) -> Vec<&str> {
        match self.paths.is_empty() {
            true => self.options.get("path").into_iter().collect(),
            false => self.paths.iter().map(String::as_str).collect(),
        }
    }
}

/// The partition columns of files that are there; none where nothing is.
///
/// # Errors
/// Folders that disagree, or may not be read.
pub async fn partition_columns(files: Files) -> Result<Vec<String>> {
    if !write::folder(&files)?.exists() {
        return Ok(vec![]);
    }
    let found = table::find(files).await?;
    Ok(found.partitions.iter().map(|column| column.name().clone()).collect())
}

/// The table of all rows in the files.
///
/// # Errors
/// `PATH_NOT_FOUND`, `UNABLE_TO_INFER_SCHEMA` for no files, what an option does not take, files that are of another format.
pub async fn open(files: Files) -> Result<Table> {
    let found = table::find(files).await?;
    let provider = match found.files.format {
        FileFormat::Parquet => parquet::open(found).await,
        FileFormat::Csv => csv::open(found).await,
        FileFormat::Json => json::open(found).await,
        FileFormat::Text => text::open(found),
    }?;
    let has_metadata = provider.schema().fields().last().is_some_and(metadata::is_one);
    Ok(Table { provider, has_metadata })
}

/// The columns of the files that a reader sees.
///
/// # Errors
/// As of [`open`].
pub async fn columns(files: Files) -> Result<SchemaRef> {
    let Table { provider, has_metadata } = open(files).await?;
    let schema = provider.schema();
    let visible = schema.fields().len() - usize::from(has_metadata);
    Ok(Arc::new(schema.project(&(0..visible).collect::<Vec<_>>()).map_err(SparkError::internal)?))
}
