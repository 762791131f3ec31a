//! Statements: their first words decide. Queries go to sqlparser, the others have their grammar here.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::cursor::Cursor;
use super::insert::insert;
use super::parameters::Parameters;
use super::{error, query, statement_tokens, table};
use crate::ddl;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Insert, Relation, RelationKind, Source};

/// A statement of SQL text.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A query.
    Query(Relation),
    /// `CREATE [OR REPLACE] TEMPORARY VIEW name [(columns)] AS query`.
    CreateView {
        /// The parts of the view's name.
        name: Vec<String>,
        /// `OR REPLACE`.
        replace: bool,
        /// What the view stands for.
        query: Relation,
    },
    /// `CREATE [OR REPLACE] TEMPORARY VIEW name [(columns)] USING format [OPTIONS (...)]`.
    CreateSourceView {
        /// The parts of the view's name.
        name: Vec<String>,
        /// `OR REPLACE`.
        replace: bool,
        /// What the view reads.
        source: Source,
    },
    /// `EXPLAIN [mode] query`.
    Explain {
        /// How much is shown.
        mode: ExplainMode,
        /// The query that is explained.
        query: Relation,
    },
    /// `EXPLAIN ANALYZE query`, which runs it.
    ExplainAnalyze(Relation),
    /// `EXPLAIN [mode] INSERT ...`.
    ExplainInsert {
        /// How much is shown.
        mode: ExplainMode,
        /// The insert that is explained.
        insert: Insert,
    },
    /// `EXPLAIN ANALYZE INSERT ...`, which writes.
    ExplainAnalyzeInsert(Insert),
    /// `INSERT`.
    Insert(Insert),
    /// `CREATE TABLE`.
    CreateTable(CreateTable),
    /// `DROP TABLE [IF EXISTS] name`.
    DropTable {
        /// The parts of the table's name.
        name: Vec<String>,
        /// A table that is not there is no error.
        if_exists: bool,
    },
    /// `DROP VIEW [IF EXISTS] name`.
    DropView {
        /// The parts of the view's name.
        name: Vec<String>,
        /// A view that is not there is no error.
        if_exists: bool,
    },
    /// `SET`, `SET key`, `SET key=value`.
    Set {
        /// The setting; none for all of them.
        key: Option<String>,
        /// Its new value; none to show it.
        value: Option<String>,
    },
    /// `SHOW TABLES` and `SHOW VIEWS`, `[IN namespace] [[LIKE] 'pattern']`.
    Show {
        /// Views only.
        views: bool,
        /// The parts of the namespace's name.
        namespace: Option<Vec<String>>,
        /// Spark's pattern: `*` for any text, `|` between alternatives.
        pattern: Option<String>,
    },
}

/// `CREATE TABLE [IF NOT EXISTS] name [(columns)] USING format [OPTIONS (...)] [AS query]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// The parts of the table's name.
    pub name: Vec<String>,
    /// A table that is there already is no error.
    pub if_not_exists: bool,
    /// What the table reads, and is written to.
    pub source: Source,
    /// The rows that are written to it first.
    pub query: Option<Relation>,
}

/// How much `EXPLAIN` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainMode {
    /// The physical plan.
    Simple,
    /// All plans.
    Extended,
    /// Generated code.
    Codegen,
    /// The logical plan with statistics.
    Cost,
    /// An outline, then the details of each node.
    Formatted,
}

/// A statement from text.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR` for text that is no SQL, `PARSE_EMPTY_STATEMENT` for no text, `UNSUPPORTED_OPERATION` that
/// names the statement for one that Spark has and this server has not; for a query as [`super::parse_query`].
pub fn parse_statement(text: &str, params: &Parameters) -> Result<Statement> {
    if let Some(rest) = after_word(text, "set") {
        return set(rest);
    }
    let tokens = statement_tokens(text)?;
    if is_query(&tokens) {
        return query(tokens, text, params).map(Statement::Query);
    }
    let mut cursor = Cursor::new(tokens);
    if cursor.eat_words(&["explain"]) {
        let analyze = cursor.eat_words(&["analyze"]);
        let mode = if analyze { ExplainMode::Simple } else { explain_mode(&mut cursor) };
        if cursor.eat_words(&["insert"]) {
            let insert = insert(cursor, text, params)?;
            return Ok(match analyze {
                true => Statement::ExplainAnalyzeInsert(insert),
                false => Statement::ExplainInsert { mode, insert },
            });
        }
        let tokens = cursor.into_rest();
        return match tokens.first() {
            None => Err(error::at_end()),
            Some(_) if is_query(&tokens) => {
                let query = query(tokens, text, params)?;
                Ok(if analyze { Statement::ExplainAnalyze(query) } else { Statement::Explain { mode, query } })
            }
            Some(_) => Err(SparkError::unsupported("EXPLAIN of anything but a query or an INSERT")),
        };
    }
    if let Some(replace) = create_temporary_view(&mut cursor)? {
        return create_view(cursor, replace, text, params);
    }
    if cursor.eat_words(&["insert"]) {
        return insert(cursor, text, params).map(Statement::Insert);
    }
    if cursor.eat_words(&["create", "table"]) {
        return table::create(cursor, text, params).map(Statement::CreateTable);
    }
    let statement = if cursor.eat_words(&["drop", "view"]) {
        let if_exists = cursor.eat_words(&["if", "exists"]);
        Statement::DropView { name: cursor.qualified_name()?, if_exists }
    } else if cursor.eat_words(&["drop", "table"]) {
        let if_exists = cursor.eat_words(&["if", "exists"]);
        let name = cursor.qualified_name()?;
        cursor.eat_words(&["purge"]);
        Statement::DropTable { name, if_exists }
    } else if cursor.eat_words(&["show", "tables"]) {
        show(&mut cursor, false)?
    } else if cursor.eat_words(&["show", "views"]) {
        show(&mut cursor, true)?
    } else {
        return Err(other_statement(&cursor));
    };
    if cursor.at_end() { Ok(statement) } else { Err(cursor.unexpected()) }
}

pub(super) fn is_query(tokens: &[TokenWithSpan]) -> bool {
    const WORDS: [&str; 5] = ["SELECT", "WITH", "VALUES", "FROM", "TABLE"];
    tokens.first().is_some_and(|first| match &first.token {
        Token::Word(word) if word.quote_style.is_none() => {
            WORDS.iter().any(|query| word.value.eq_ignore_ascii_case(query))
        }
        token => *token == Token::LParen,
    })
}

fn explain_mode(cursor: &mut Cursor) -> ExplainMode {
    let modes = [
        ("extended", ExplainMode::Extended),
        ("logical", ExplainMode::Extended),
        ("codegen", ExplainMode::Codegen),
        ("cost", ExplainMode::Cost),
        ("formatted", ExplainMode::Formatted),
    ];
    modes.into_iter().find(|(word, _)| cursor.eat_words(&[word])).map_or(ExplainMode::Simple, |(_, mode)| mode)
}

/// Takes `CREATE [OR REPLACE] TEMPORARY VIEW`, and tells whether it replaces; none for another statement.
fn create_temporary_view(cursor: &mut Cursor) -> Result<Option<bool>> {
    for temporary in ["temp", "temporary"] {
        for (words, replace) in [
            (["create", "or", "replace", temporary, "view"].as_slice(), true),
            (["create", temporary, "view"].as_slice(), false),
        ] {
            if cursor.eat_words(words) {
                if cursor.eat_words(&["if", "not", "exists"]) {
                    return Err(SparkError::unsupported("a temporary view with IF NOT EXISTS"));
                }
                return Ok(Some(replace));
            }
        }
    }
    Ok(None)
}

fn create_view(mut cursor: Cursor, replace: bool, text: &str, params: &Parameters) -> Result<Statement> {
    let name = cursor.qualified_name()?;
    let mut schema = None;
    let mut columns = Vec::new();
    if cursor.peek() == Some(&Token::LParen) {
        // Names alone for a query, names and types for a source.
        let mut typed = Cursor::new(ddl::split_brackets(cursor.rest().to_vec()));
        match view_columns(&mut cursor) {
            Ok(names) => columns = names,
            Err(_) => {
                schema = Some(typed_columns(&mut typed)?);
                cursor = typed;
            }
        }
    }
    if cursor.eat_words(&["comment"]) {
        cursor.string()?;
    }
    if cursor.eat_words(&["as"]) && schema.is_none() {
        let mut query = query(cursor.into_rest(), text, params)?;
        if !columns.is_empty() {
            query = RelationKind::ToDf { input: Box::new(query), names: columns }.into();
        }
        return Ok(Statement::CreateView { name, replace, query });
    }
    if !columns.is_empty() {
        return Err(cursor.unexpected());
    }
    cursor.expect_words(&["using"])?;
    let format = cursor.qualified_name()?.join(".");
    let options = if cursor.eat_words(&["options"]) { options(&mut cursor)? } else { BTreeMap::new() };
    if !cursor.at_end() {
        return Err(cursor.unexpected());
    }
    let source = Source { format, options, schema, ..Source::default() };
    Ok(Statement::CreateSourceView { name, replace, source })
}

/// `(a, b COMMENT 'text')`.
fn view_columns(cursor: &mut Cursor) -> Result<Vec<String>> {
    cursor.expect(&Token::LParen)?;
    let mut names = Vec::new();
    loop {
        names.push(cursor.identifier()?);
        if cursor.eat_words(&["comment"]) {
            cursor.string()?;
        }
        if !cursor.eat(&Token::Comma) {
            cursor.expect(&Token::RParen)?;
            return Ok(names);
        }
    }
}

pub(super) fn typed_columns(cursor: &mut Cursor) -> Result<SchemaRef> {
    cursor.expect(&Token::LParen)?;
    let schema = ddl::columns(cursor)?;
    cursor.expect(&Token::RParen)?;
    Ok(Arc::new(schema))
}

/// `(key 'value', a.b = 'value', "key" 1, k true)`: keys are names or text, values any literal.
pub(super) fn options(cursor: &mut Cursor) -> Result<BTreeMap<String, String>> {
    let mut options = BTreeMap::new();
    cursor.expect(&Token::LParen)?;
    loop {
        let key = match cursor.peek() {
            Some(Token::SingleQuotedString(_)) => cursor.string()?,
            _ => cursor.qualified_name()?.join("."),
        };
        cursor.eat(&Token::Eq);
        let value = option_value(cursor)?;
        if options.insert(key.clone(), value).is_some() {
            return Err(duplicate_key(&key));
        }
        if !cursor.eat(&Token::Comma) {
            cursor.expect(&Token::RParen)?;
            return Ok(options);
        }
    }
}

fn option_value(cursor: &mut Cursor) -> Result<String> {
    let sign = if cursor.eat(&Token::Minus) { "-" } else { "" };
    let value = match cursor.peek() {
        Some(Token::Number(digits, _)) => format!("{sign}{digits}"),
        Some(Token::SingleQuotedString(text)) if sign.is_empty() => text.clone(),
        Some(Token::Word(word))
            if sign.is_empty() && matches!(word.value.to_lowercase().as_str(), "true" | "false") =>
        {
            word.value.to_lowercase()
        }
        _ => return Err(cursor.unexpected()),
    };
    cursor.advance();
    Ok(value)
}

fn duplicate_key(key: &str) -> SparkError {
    SparkError::new(ErrorClass::Parse, "DUPLICATE_KEY", "23505", format!("Found duplicate keys `{key}`."))
        .with("keyColumn", format!("`{key}`"))
}

fn show(cursor: &mut Cursor, views: bool) -> Result<Statement> {
    let namespace =
        if cursor.eat_words(&["in"]) || cursor.eat_words(&["from"]) { Some(cursor.qualified_name()?) } else { None };
    let pattern = if cursor.eat_words(&["like"]) || matches!(cursor.peek(), Some(Token::SingleQuotedString(_))) {
        Some(cursor.string()?)
    } else {
        None
    };
    Ok(Statement::Show { views, namespace, pattern })
}

/// The rest of `SET`. A value is taken as it stands, with whatever is in it.
fn set(rest: &str) -> Result<Statement> {
    let rest = rest.trim().trim_end_matches(';').trim_end();
    if let Some(zone) = after_word(rest, "time").and_then(|rest| after_word(rest, "zone")) {
        return set_time_zone(zone.trim());
    }
    for variable in ["var", "variable"] {
        if after_word(rest, variable).is_some_and(|rest| !rest.trim_start().starts_with('=')) {
            return Err(SparkError::unsupported("the statement SET VARIABLE"));
        }
    }
    let (key, value) = match rest.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
        None => (rest, None),
    };
    if key.is_empty() || key == "-v" {
        return match value {
            None => Ok(Statement::Set { key: None, value: None }),
            Some(_) => Err(error::at_end()),
        };
    }
    let key = match key.strip_prefix('`').and_then(|k| k.strip_suffix('`')) {
        Some(quoted) => quoted.replace("``", "`"),
        None if key.contains(char::is_whitespace) => return Err(invalid_set()),
        None => key.to_owned(),
    };
    Ok(Statement::Set { key: Some(key), value })
}

fn set_time_zone(zone: &str) -> Result<Statement> {
    let mut cursor = Cursor::new(super::lex(zone)?);
    if cursor.eat_words(&["local"]) || matches!(cursor.peek_word(0), Some("interval" | "INTERVAL")) {
        return Err(SparkError::unsupported("SET TIME ZONE with anything but a name"));
    }
    let value = cursor.string()?;
    if !cursor.at_end() {
        return Err(cursor.unexpected());
    }
    Ok(Statement::Set { key: Some("spark.sql.session.timeZone".to_owned()), value: Some(value) })
}

fn invalid_set() -> SparkError {
    SparkError::new(
        ErrorClass::Parse,
        "INVALID_SET_SYNTAX",
        "42000",
        "Expected 'SET', 'SET key' or 'SET key=value'. A key with other than letters, digits and dots goes in backticks.",
    )
}

/// What follows a word at the start of the text, if it is there as a word of its own.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (first, rest) = (text.get(..word.len())?, text.get(word.len()..)?);
    let ends = rest.chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.');
    (first.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// A statement of Spark's is named by its first words; anything else is a syntax error.
fn other_statement(cursor: &Cursor) -> SparkError {
    const FIRST_WORDS: &[&str] = &[
        "ADD", "ALTER", "ANALYZE", "BEGIN", "CACHE", "CALL", "CLEAR", "COMMENT", "CREATE", "DECLARE", "DELETE", "DESC",
        "DESCRIBE", "DFS", "DROP", "EXECUTE", "EXPORT", "GRANT", "IMPORT", "INSERT", "LIST", "LOAD", "LOCK", "MERGE",
        "MSCK", "REFRESH", "REPAIR", "REPLACE", "RESET", "REVOKE", "ROLLBACK", "SHOW", "START", "TRUNCATE", "UNCACHE",
        "UNLOCK", "UPDATE", "USE",
    ];
    const OBJECTS: &[&str] = &[
        "CACHE",
        "CATALOG",
        "CATALOGS",
        "COLUMNS",
        "CURRENT",
        "DATABASE",
        "DATABASES",
        "EXTENDED",
        "EXTERNAL",
        "FILE",
        "FUNCTION",
        "FUNCTIONS",
        "GLOBAL",
        "IMMEDIATE",
        "INDEX",
        "INTO",
        "JAR",
        "NAMESPACE",
        "NAMESPACES",
        "OR",
        "OVERWRITE",
        "PARTITIONS",
        "PROCEDURE",
        "QUERY",
        "REPLACE",
        "SCHEMA",
        "SCHEMAS",
        "TABLE",
        "TABLES",
        "TBLPROPERTIES",
        "TEMP",
        "TEMPORARY",
        "VARIABLE",
        "VIEW",
        "VIEWS",
    ];
    let known = |n: usize, words: &[&str]| {
        cursor.peek_word(n).map(str::to_ascii_uppercase).filter(|word| words.contains(&word.as_str()))
    };
    let Some(mut statement) = known(0, FIRST_WORDS) else { return cursor.unexpected() };
    for n in 1..5 {
        let Some(word) = known(n, OBJECTS) else { break };
        statement = format!("{statement} {word}");
    }
    SparkError::unsupported(format!("the statement {statement}"))
}
