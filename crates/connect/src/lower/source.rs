//! Tables and sources.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use sheetbend_plan::ddl;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{Parse, Read, RelationKind, Source};
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;
use spark_connect_proto::parse::ParseFormat;
use spark_connect_proto::read::{DataSource, ReadType};

use super::{Lowering, types};
use crate::error::{invalid_plan, missing};
use crate::session::Session;

/// What `read` reads.
///
/// # Errors
/// A stream, or a schema that is none.
pub(crate) fn read(read: proto::Read, session: &Session) -> Result<Read> {
    if read.is_streaming {
        return Err(SparkError::unsupported("`spark.readStream`"));
    }
    match read.read_type.ok_or_else(|| missing("read.read_type"))? {
        ReadType::NamedTable(table) => Ok(Read::Table(parse_identifier(&table.unparsed_identifier)?)),
        ReadType::DataSource(source) => Ok(Read::Source(source_of(source, session)?)),
    }
}

fn source_of(source: DataSource, session: &Session) -> Result<Source> {
    let format = session.format_or_default(source.format)?;
    let schema = source.schema.filter(|text| !text.is_empty());
    Ok(Source {
        format,
        options: source.options.into_iter().collect(),
        paths: source.paths,
        predicates: source.predicates,
        schema: schema.as_deref().map(ddl::parse_schema).transpose()?.map(Arc::new),
    })
}

impl Lowering<'_> {
    /// Texts that are read as rows.
    pub(super) fn parse(&mut self, parse: proto::Parse) -> Result<RelationKind> {
        let format = match parse.format() {
            ParseFormat::Csv => "CSV",
            ParseFormat::Json => "JSON",
            ParseFormat::Xml => return Err(SparkError::unsupported("reading XML from a DataFrame of strings")),
            ParseFormat::Unspecified => return Err(missing("parse.format")),
        };
        let schema = match parse.schema.map(types::from_proto).transpose()? {
            None => None,
            Some(DataType::Struct(fields)) => Some(Arc::new(Schema::new(fields))),
            Some(_) => return Err(invalid_plan("The schema of texts that are read is no struct.")),
        };
        let options = parse.options.into_iter().collect();
        let source = Source { format: format.to_owned(), options, schema, ..Source::default() };
        let files = self.session.files(&source)?;
        let told_by = files.map(|files| sheetbend_files::told_by(&files)).transpose()?.flatten();
        let input = self.input(parse.input)?;
        Ok(RelationKind::Parse(Parse { input, source, told_by, parser: None }))
    }
}
