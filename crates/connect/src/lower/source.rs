//! Tables and sources.

use std::sync::Arc;

use sheetbend_plan::ddl;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{Read, Source};
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;
use spark_connect_proto::read::{DataSource, ReadType};

use crate::error::missing;
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
