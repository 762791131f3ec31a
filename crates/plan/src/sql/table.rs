//! `CREATE TABLE`: a name for a source.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::parameters::Parameters;
use super::statement::{Statement, is_query, options, typed_columns};
use super::{error, query};
use crate::ddl;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Relation, Source};

const CLAUSES: [(&[&str], &str); 2] = [(&["clustered", "by"], "CLUSTERED BY"), (&["cluster", "by"], "CLUSTER BY")];

/// What Spark leaves to Hive.
const OF_HIVE: [&[&str]; 2] = [&["row", "format"], &["stored"]];

/// `CREATE [EXTERNAL] TABLE [IF NOT EXISTS] name [(columns)] [USING format] [OPTIONS (...)] [LOCATION 'path']
/// [COMMENT 'text'] [TBLPROPERTIES (...)] [PARTITIONED BY (columns)] [[AS] query]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// The parts of the table's name.
    pub name: Vec<String>,
    /// A table that is there already is no error.
    pub if_not_exists: bool,
    /// What the table reads, and is written to; its format is empty for the session's.
    pub source: Source,
    /// `PARTITIONED BY`: the columns whose values are names of folders.
    pub partition_by: Vec<String>,
    /// What it is for.
    pub comment: Option<String>,
    /// Its properties.
    pub properties: BTreeMap<String, String>,
    /// The rows that are written to it first.
    pub query: Option<Relation>,
}

/// `CREATE TABLE [IF NOT EXISTS] name LIKE other [USING format] [LOCATION 'path'] [TBLPROPERTIES (...)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTableLike {
    /// The parts of the table's name.
    pub name: Vec<String>,
    /// The parts of the name of the table or view whose columns it has.
    pub like: Vec<String>,
    /// A table that is there already is no error.
    pub if_not_exists: bool,
    /// Of what the files are; none for what those of the other table are.
    pub format: Option<String>,
    /// Where the files lie.
    pub paths: Vec<String>,
    /// Its properties.
    pub properties: BTreeMap<String, String>,
}

/// What follows `CREATE [EXTERNAL] TABLE`.
pub(super) fn create(mut cursor: Cursor, external: bool, text: &str, params: &Parameters) -> Result<Statement> {
    let if_not_exists = cursor.eat_words(&["if", "not", "exists"]);
    let name = cursor.qualified_name()?;
    if cursor.eat_words(&["like"]) {
        return like(cursor, name, if_not_exists);
    }
    let mut source = Source::default();
    if cursor.peek() == Some(&Token::LParen) {
        cursor = Cursor::new(ddl::split_brackets(cursor.rest().to_vec()));
        source.schema = Some(typed_columns(&mut cursor)?);
    }
    if cursor.eat_words(&["using"]) {
        source.format = cursor.qualified_name()?.join(".");
    }
    let mut create = CreateTable {
        name,
        if_not_exists,
        source,
        partition_by: Vec::new(),
        comment: None,
        properties: BTreeMap::new(),
        query: None,
    };
    clauses(&mut cursor, &mut create)?;
    if external && create.source.paths.is_empty() {
        let message = "CREATE EXTERNAL TABLE must be accompanied by LOCATION.";
        return Err(SparkError::new(ErrorClass::Analysis, "_LEGACY_ERROR_TEMP_1069", "", message));
    }
    let has_as = cursor.eat_words(&["as"]);
    if cursor.at_end() {
        return if has_as { Err(error::at_end()) } else { Ok(Statement::CreateTable(create)) };
    }
    if !is_query(cursor.rest()) {
        return Err(cursor.unexpected());
    }
    if create.source.schema.is_some() {
        let message = "CREATE TABLE ... AS takes its columns from the query; give none.";
        return Err(SparkError::new(ErrorClass::Parse, "INVALID_SQL_SYNTAX.CREATE_TABLE_AS_COLUMNS", "42000", message));
    }
    create.query = Some(query(cursor.into_rest(), text, params)?);
    Ok(Statement::CreateTable(create))
}

fn clauses(cursor: &mut Cursor, create: &mut CreateTable) -> Result<()> {
    loop {
        if cursor.eat_words(&["options"]) {
            create.source.options = options(cursor)?;
        } else if cursor.eat_words(&["location"]) {
            create.source.paths = vec![cursor.string()?];
        } else if cursor.eat_words(&["comment"]) {
            create.comment = Some(cursor.string()?);
        } else if cursor.eat_words(&["tblproperties"]) {
            create.properties = options(cursor)?;
        } else if cursor.eat_words(&["partitioned", "by"]) {
            partitioned_by(cursor, create)?;
        } else {
            break;
        }
    }
    if OF_HIVE.iter().any(|words| cursor.eat_words(words)) {
        let message = "CREATE Hive TABLE (AS SELECT) is not supported: give the format with USING.";
        let condition = "NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT";
        return Err(SparkError::new(ErrorClass::Analysis, condition, "0A000", message)
            .with("cmd", "CREATE Hive TABLE (AS SELECT)"));
    }
    match CLAUSES.iter().find(|(words, _)| cursor.eat_words(words)) {
        Some((_, clause)) => Err(SparkError::unsupported(format!("CREATE TABLE with {clause}"))),
        None => Ok(()),
    }
}

/// `(a, b)`, columns by their names, or `(a INT, b STRING)`, further columns.
fn partitioned_by(cursor: &mut Cursor, create: &mut CreateTable) -> Result<()> {
    let has_types = matches!(cursor.peek_nth(2), Some(Token::Word(_)));
    if !has_types {
        create.partition_by = names(cursor)?;
        return Ok(());
    }
    let further = typed_columns(cursor)?;
    create.partition_by = further.fields().iter().map(|field| field.name().clone()).collect();
    let columns = create.source.schema.iter().flat_map(|schema| schema.fields()).chain(further.fields());
    create.source.schema = Some(Arc::new(Schema::new(columns.cloned().collect::<Vec<_>>())));
    Ok(())
}

/// `(a, b)`: columns by their names. Functions of columns are for tables of another kind.
fn names(cursor: &mut Cursor) -> Result<Vec<String>> {
    cursor.expect(&Token::LParen)?;
    let mut names = vec![cursor.identifier()?];
    while cursor.eat(&Token::Comma) {
        names.push(cursor.identifier()?);
    }
    cursor.expect(&Token::RParen)?;
    Ok(names)
}

fn like(mut cursor: Cursor, name: Vec<String>, if_not_exists: bool) -> Result<Statement> {
    let like = cursor.qualified_name()?;
    let mut create =
        CreateTableLike { name, like, if_not_exists, format: None, paths: Vec::new(), properties: BTreeMap::new() };
    loop {
        if cursor.eat_words(&["using"]) {
            create.format = Some(cursor.qualified_name()?.join("."));
        } else if cursor.eat_words(&["location"]) {
            create.paths = vec![cursor.string()?];
        } else if cursor.eat_words(&["tblproperties"]) {
            create.properties = options(&mut cursor)?;
        } else if cursor.at_end() {
            return Ok(Statement::CreateTableLike(create));
        } else {
            return Err(cursor.unexpected());
        }
    }
}

/// The columns with those of partitions behind the others, as the files of a table have them.
pub fn partitions_last(schema: &SchemaRef, partition_by: &[String]) -> SchemaRef {
    let is_partition = |field: &Field| partition_by.iter().position(|name| field.name().eq_ignore_ascii_case(name));
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    // The sort is stable: columns that are none of them stay in their order, before all others.
    fields.sort_by_key(|field| is_partition(field).map_or(0, |at| at + 1));
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}
