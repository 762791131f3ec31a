//! Statements: their first words decide. Queries go to sqlparser, the others have their grammar here.

mod alter;
mod cache;
mod describe;
mod execute;
mod explain;
mod function;
mod namespace;
mod options;
mod set;
mod show;
mod unknown;
mod variable;
mod view;

use std::collections::BTreeMap;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

pub use self::alter::{DatabaseChange, TableChange};
pub use self::execute::{ExecuteImmediate, markers};
pub use self::function::CreateFunction;
pub(super) use self::options::{options, typed_columns};
pub use self::variable::{DeclareVariables, SetVariables};
use super::cursor::Cursor;
use super::dialect::keyword;
use super::insert::{self, insert};
use super::parameters::Parameters;
use super::table::{CreateTable, CreateTableLike};
use super::{query, statement_tokens, table};
use crate::error::Result;
use crate::ir::{Insert, Relation, Source};

/// A statement of SQL text.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A query.
    Query(Relation),
    /// `CREATE VIEW ... AS query`.
    CreateView(CreateView),
    /// `CREATE [OR REPLACE] [GLOBAL] TEMPORARY VIEW name [(columns)] USING format [OPTIONS (...)]`.
    CreateSourceView {
        /// The parts of the view's name.
        name: Vec<String>,
        /// `OR REPLACE`.
        replace: bool,
        /// Where it is known.
        scope: ViewScope,
        /// What the view reads.
        source: Source,
    },
    /// `ALTER VIEW name AS query`.
    AlterView {
        /// The parts of the view's name.
        name: Vec<String>,
        /// What the view stands for from now on.
        query: Relation,
        /// The query as it is written.
        text: String,
    },
    /// `ALTER TABLE|VIEW name RENAME TO name`.
    Rename {
        /// `ALTER VIEW`.
        view: bool,
        /// The parts of the name.
        name: Vec<String>,
        /// The parts of the new name.
        to: Vec<String>,
    },
    /// `ALTER TABLE|VIEW`, `COMMENT ON TABLE`.
    AlterTable {
        /// The parts of the name.
        name: Vec<String>,
        /// `ALTER VIEW`.
        view: bool,
        /// What messages call it.
        operation: String,
        /// What changes.
        change: TableChange,
    },
    /// `TRUNCATE TABLE name`.
    Truncate(Vec<String>),
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
    /// `CREATE TABLE ... LIKE`.
    CreateTableLike(CreateTableLike),
    /// `DROP TABLE|VIEW [IF EXISTS] name`.
    Drop {
        /// A view only.
        view: bool,
        /// The parts of the name.
        name: Vec<String>,
        /// A name that is not there is no error.
        if_exists: bool,
    },
    /// `CREATE FUNCTION`.
    CreateFunction(CreateFunction),
    /// `DROP [TEMPORARY] FUNCTION [IF EXISTS] name`.
    DropFunction {
        /// The parts of the name.
        name: Vec<String>,
        /// `TEMPORARY`.
        temporary: bool,
        /// A name that is not there is no error.
        if_exists: bool,
    },
    /// `CREATE DATABASE [IF NOT EXISTS] name [COMMENT 'text'] [WITH DBPROPERTIES (...)]`.
    CreateDatabase {
        /// The parts of the name.
        name: Vec<String>,
        /// A database that is there already is no error.
        if_not_exists: bool,
        /// What it is for.
        comment: String,
        /// Its properties, in order of their keys.
        properties: Vec<(String, String)>,
    },
    /// `ALTER DATABASE`, `COMMENT ON DATABASE`.
    AlterDatabase {
        /// The parts of the name.
        name: Vec<String>,
        /// What changes.
        change: DatabaseChange,
    },
    /// `DROP DATABASE [IF EXISTS] name [CASCADE]`.
    DropDatabase {
        /// The parts of the name.
        name: Vec<String>,
        /// A database that is not there is no error.
        if_exists: bool,
        /// What is in it goes too.
        cascade: bool,
    },
    /// `USE [DATABASE] name`.
    Use(Vec<String>),
    /// `SET CATALOG name`.
    SetCatalog(String),
    /// `CACHE [LAZY] TABLE name [OPTIONS (...)] [[AS] query]`.
    Cache {
        /// The parts of the name.
        name: Vec<String>,
        /// What a temporary view is first made of.
        query: Option<Relation>,
        /// The rows are kept when they are first read, not at once.
        lazy: bool,
        /// `storageLevel` of the options.
        level: Option<String>,
    },
    /// `UNCACHE TABLE [IF EXISTS] name`.
    Uncache {
        /// The parts of the name.
        name: Vec<String>,
        /// A name that is not there is no error.
        if_exists: bool,
    },
    /// `CLEAR CACHE`.
    ClearCache,
    /// `REFRESH [TABLE] name`.
    Refresh(Vec<String>),
    /// `REFRESH 'path'`.
    RefreshPath(String),
    /// `REFRESH FUNCTION name`.
    RefreshFunction(Vec<String>),
    /// `ANALYZE TABLE`, `UPDATE` and others that change what a table holds or what is known of it.
    OfTable {
        /// The statement, such as `ANALYZE TABLE`.
        operation: String,
        /// The parts of the table's name.
        name: Vec<String>,
    },
    /// `SET`, `SET key`, `SET key=value`.
    Set {
        /// The setting; none for all of them.
        key: Option<String>,
        /// Its new value; none to show it.
        value: Option<String>,
    },
    /// `RESET [key]`.
    Reset(Option<String>),
    /// `DECLARE`.
    Declare(DeclareVariables),
    /// `SET VARIABLE`.
    SetVariables(SetVariables),
    /// `DROP TEMPORARY VARIABLE [IF EXISTS] name`.
    DropVariable {
        /// The parts of the name.
        name: Vec<String>,
        /// A name that is not there is no error.
        if_exists: bool,
    },
    /// `EXECUTE IMMEDIATE`.
    ExecuteImmediate(ExecuteImmediate),
    /// `LIST JARS`, `LIST FILES` or `LIST ARCHIVES`, of which there are none.
    ListResources,
    /// `SHOW`.
    Show(Show),
    /// `DESCRIBE`.
    Describe(Describe),
}

/// `CREATE [OR REPLACE] [[GLOBAL] TEMPORARY] VIEW [IF NOT EXISTS] name [(columns)] AS query`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    /// The parts of the view's name.
    pub name: Vec<String>,
    /// Where it is known.
    pub scope: ViewScope,
    /// `OR REPLACE`.
    pub replace: bool,
    /// A view that is there already is no error.
    pub if_not_exists: bool,
    /// Names of the columns with their comments; empty for those of the query.
    pub columns: Vec<(String, Option<String>)>,
    /// What it is for.
    pub comment: Option<String>,
    /// Its properties.
    pub properties: BTreeMap<String, String>,
    /// What the view stands for.
    pub query: Relation,
    /// The query as it is written.
    pub text: String,
}

/// Where a view is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewScope {
    /// In the session.
    Temporary,
    /// In every session, as `global_temp.name`.
    Global,
    /// In its database.
    Stored,
}

/// What `SHOW` lists. A pattern is Spark's: `*` for any text, `|` between alternatives.
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    /// `SHOW TABLES`, `SHOW VIEWS`, `SHOW TABLE EXTENDED`, `[IN namespace] [[LIKE] 'pattern']`.
    Tables {
        /// Of what kind.
        kind: TableListing,
        /// The parts of the namespace's name.
        namespace: Option<Vec<String>>,
        /// Which ones.
        pattern: Option<String>,
    },
    /// `SHOW DATABASES [[LIKE] 'pattern']`.
    Databases(Option<String>),
    /// `SHOW CATALOGS [[LIKE] 'pattern']`.
    Catalogs(Option<String>),
    /// `SHOW COLUMNS IN name [IN database]`.
    Columns(Vec<String>),
    /// `SHOW [USER|SYSTEM|ALL] FUNCTIONS [[LIKE] 'pattern']`.
    Functions {
        /// Whose.
        of: FunctionListing,
        /// Which ones.
        pattern: Option<String>,
    },
    /// `SHOW CURRENT DATABASE`.
    CurrentDatabase,
    /// `SHOW TBLPROPERTIES name [(key)]`.
    Properties {
        /// The parts of the name.
        name: Vec<String>,
        /// One of them.
        key: Option<String>,
    },
    /// `SHOW CREATE TABLE name`.
    CreateTable(Vec<String>),
    /// `SHOW PARTITIONS name`.
    Partitions(Vec<String>),
}

/// Which tables are listed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableListing {
    /// Tables and views.
    Tables,
    /// Views only.
    Views,
    /// Tables and views, with more on each.
    Extended,
}

/// Which functions are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionListing {
    /// All.
    All,
    /// Those of the engine.
    System,
    /// Those that users made.
    User,
}

/// What `DESCRIBE` tells of.
#[derive(Debug, Clone, PartialEq)]
pub enum Describe {
    /// `DESCRIBE [TABLE] [EXTENDED] name`.
    Table {
        /// The parts of the name.
        name: Vec<String>,
        /// More than the columns.
        extended: bool,
    },
    /// `DESCRIBE [TABLE] [EXTENDED] name column`.
    Column {
        /// The parts of the name.
        name: Vec<String>,
        /// The parts of the column's name.
        column: Vec<String>,
    },
    /// `DESCRIBE [QUERY] query`.
    Query(Relation),
    /// `DESCRIBE FUNCTION [EXTENDED] name`.
    Function(Vec<String>),
    /// `DESCRIBE DATABASE [EXTENDED] name`.
    Database {
        /// The parts of the name.
        name: Vec<String>,
        /// Its properties too.
        extended: bool,
    },
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
    if let Some(statement) = set::parse(text)? {
        return Ok(statement);
    }
    let tokens = statement_tokens(text, params)?;
    if let Some((before, into)) = insert::after_rows(&tokens) {
        return insert(Cursor::new(into), before, text, params).map(Statement::Insert);
    }
    if is_query(&tokens) {
        return query(tokens, text, params).map(Statement::Query);
    }
    let mut cursor = Cursor::new(tokens);
    if cursor.eat_words(&["explain"]) {
        return explain::explain(cursor, text, params);
    }
    if cursor.eat_words(&["insert"]) {
        return insert(cursor, vec![], text, params).map(Statement::Insert);
    }
    for (words, external) in [(["create", "table"].as_slice(), false), (&["create", "external", "table"], true)] {
        if cursor.eat_words(words) {
            return table::create(cursor, external, text, params);
        }
    }
    if let Some(prefix) = function::prefix(&mut cursor) {
        return function::create(cursor, prefix, text, params);
    }
    if let Some(view) = view::prefix(&mut cursor) {
        return view::create(cursor, view, text, params);
    }
    if cursor.eat_words(&["alter", "view"]) {
        return view::alter(cursor, text, params);
    }
    if cursor.eat_words(&["declare"]) {
        return variable::declare(cursor, text, params);
    }
    if cursor.eat_words(&["set", "variable"]) || cursor.eat_words(&["set", "var"]) {
        return variable::set(cursor, text, params);
    }
    if cursor.eat_words(&["execute", "immediate"]) {
        return execute::immediate(cursor, text, params);
    }
    if cursor.eat_words(&["cache"]) {
        return cache::cache(cursor, text, params);
    }
    if cursor.eat_words(&["describe"]) || cursor.eat_words(&["desc"]) {
        return describe::describe(cursor, text, params).map(Statement::Describe);
    }
    let mut found = cache::other(&mut cursor)?;
    for grammar in [alter::statement, namespace::statement] {
        if found.is_none() {
            found = grammar(&mut cursor)?;
        }
    }
    if found.is_none() && cursor.eat_words(&["show"]) {
        found = Some(Statement::Show(show::show(&mut cursor)?));
    }
    match found {
        None => Err(unknown::statement(&cursor)),
        Some(statement) if cursor.at_end() => Ok(statement),
        Some(_) => Err(cursor.unexpected()),
    }
}

pub(super) fn is_query(tokens: &[TokenWithSpan]) -> bool {
    tokens.first().is_some_and(|first| {
        let word = matches!(
            keyword(&first.token),
            Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::FROM | Keyword::TABLE
        );
        word || first.token == Token::LParen
    })
}
