//! Statements: their first words decide. Queries go to sqlparser, the others have their grammar here.

mod cache;
mod describe;
mod execute;
mod explain;
mod namespace;
mod options;
mod set;
mod show;
mod unknown;
mod variable;
mod view;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

pub use self::execute::{ExecuteImmediate, markers};
pub(super) use self::options::{options, typed_columns};
pub use self::variable::{DeclareVariables, SetVariables};
use super::cursor::Cursor;
use super::dialect::keyword;
use super::insert::insert;
use super::parameters::Parameters;
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
    },
    /// `ALTER TABLE|VIEW name RENAME TO name`.
    Rename {
        /// The parts of the name.
        name: Vec<String>,
        /// The parts of the new name.
        to: Vec<String>,
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
    /// `DROP TABLE|VIEW [IF EXISTS] name`.
    Drop {
        /// A view only.
        view: bool,
        /// The parts of the name.
        name: Vec<String>,
        /// A name that is not there is no error.
        if_exists: bool,
    },
    /// `DROP [TEMPORARY] FUNCTION [IF EXISTS] name`.
    DropFunction {
        /// The parts of the name.
        name: Vec<String>,
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
    /// `TRUNCATE TABLE`, `ANALYZE TABLE` and others that change what a table holds or what is known of it.
    OfTable {
        /// The statement, such as `TRUNCATE TABLE`.
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
    /// What the view stands for.
    pub query: Relation,
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

/// `CREATE TABLE [IF NOT EXISTS] name [(columns)] USING format [OPTIONS (...)] [AS query]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// The parts of the table's name.
    pub name: Vec<String>,
    /// A table that is there already is no error.
    pub if_not_exists: bool,
    /// What the table reads, and is written to.
    pub source: Source,
    /// `PARTITIONED BY`: the columns whose values are names of folders.
    pub partition_by: Vec<String>,
    /// The rows that are written to it first.
    pub query: Option<Relation>,
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
        /// Those of users only, of which there are none.
        of_users: bool,
        /// Which ones.
        pattern: Option<String>,
    },
    /// `SHOW CURRENT DATABASE`.
    CurrentDatabase,
    /// `SHOW TBLPROPERTIES name`.
    Properties(Vec<String>),
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
    if is_query(&tokens) {
        return query(tokens, text, params).map(Statement::Query);
    }
    let mut cursor = Cursor::new(tokens);
    if cursor.eat_words(&["explain"]) {
        return explain::explain(cursor, text, params);
    }
    if cursor.eat_words(&["insert"]) {
        return insert(cursor, text, params).map(Statement::Insert);
    }
    if cursor.eat_words(&["create", "table"]) {
        return table::create(cursor, text, params).map(Statement::CreateTable);
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
    let found = match cache::other(&mut cursor)? {
        None => match namespace::statement(&mut cursor)? {
            None if cursor.eat_words(&["show"]) => Some(Statement::Show(show::show(&mut cursor)?)),
            found => found,
        },
        found => found,
    };
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
