//! The dialect of the parser: Spark's precedences, and the literals that sqlparser has not.

use std::cell::Cell;

use sqlparser::ast::{
    DataType, DateTimeField, Expr, ExtractSyntax, Ident, ObjectName, TrimWhereField, TypedString, UnaryOperator, Value,
};
use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Word};

/// The operator that the `DIV` keyword stands for.
pub(super) const DIV: &str = "div";
/// The operator that `IS DISTINCT FROM` stands for.
pub(super) const IS_DISTINCT_FROM: &str = "is distinct from";
/// The operator that `>>>` is.
pub(super) const SHIFT_UNSIGNED: &str = ">>>";

const MULTIPLY: u8 = 40;
const COMPARE: u8 = 20;

/// Spark SQL for sqlparser.
///
/// sqlparser goes back and tries again where text can be two things, and does so at each level: text of length n can
/// take it 2^n steps. So every expression that it begins is counted, and from some number on each one fails.
#[derive(Debug)]
pub(super) struct SparkDialect {
    steps_left: Cell<usize>,
}

impl SparkDialect {
    /// The dialect for one text of so many tokens.
    pub(super) fn new(tokens: usize) -> Self {
        Self { steps_left: Cell::new(10_000 + 20 * tokens) }
    }

    /// Whether the parser gave up because the text takes too many steps.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps_left.get() == 0
    }
}

impl Dialect for SparkDialect {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        Some(Ok(match &parser.peek_token_ref().token {
            Token::Word(word) => match word.keyword {
                // Infix in other dialects, plain names here.
                Keyword::XOR
                | Keyword::AT
                | Keyword::OVERLAPS
                | Keyword::OPERATOR
                | Keyword::MATCH
                | Keyword::MEMBER
                | Keyword::SIMILAR
                | Keyword::DIV => 0,
                _ => return None,
            },
            Token::Period => return None,
            Token::DoubleColon | Token::LBracket => 50,
            Token::Mul | Token::Div | Token::Mod => MULTIPLY,
            Token::CustomBinaryOperator(name) if name == DIV => MULTIPLY,
            Token::Plus | Token::Minus | Token::StringConcat => 30,
            Token::ShiftLeft | Token::ShiftRight => 24,
            Token::CustomBinaryOperator(name) if name == SHIFT_UNSIGNED => 24,
            Token::Ampersand => 23,
            Token::Caret => 22,
            Token::Pipe => 21,
            Token::Eq
            | Token::DoubleEq
            | Token::Neq
            | Token::Lt
            | Token::LtEq
            | Token::Gt
            | Token::GtEq
            | Token::Spaceship
            | Token::CustomBinaryOperator(_) => COMPARE,
            _ => 0,
        }))
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        match self.steps_left.get() {
            0 => return Some(Err(ParserError::ParserError("too many steps".to_owned()))),
            left => self.steps_left.set(left - 1),
        }
        match &parser.peek_token_ref().token {
            Token::Tilde => {
                parser.next_token();
                let operand = parser.parse_subexpr(MULTIPLY);
                Some(operand.map(|e| Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: Box::new(e) }))
            }
            Token::Word(Word { value, quote_style: None, .. }) => {
                let name = value.to_ascii_uppercase();
                match name.as_str() {
                    "DATE" | "TIMESTAMP" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" => typed_string(parser, &name),
                    "INTERVAL" => interval(parser),
                    "TRIM" => trim_side(parser),
                    "EXISTS" => exists(parser),
                    "STRUCT" => structure(parser),
                    "EXTRACT" => extract(parser),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_within_after_array_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        true
    }

    fn supports_cross_join_constraint(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_rarrow_operator(&self) -> bool {
        true
    }

    fn supports_select_wildcard_except(&self) -> bool {
        true
    }

    fn supports_select_expr_star(&self) -> bool {
        true
    }

    fn supports_from_first_select(&self) -> bool {
        true
    }

    fn supports_struct_literal(&self) -> bool {
        true
    }

    fn supports_map_literal_with_angle_brackets(&self) -> bool {
        true
    }

    fn supports_long_type_as_bigint(&self) -> bool {
        true
    }

    fn supports_values_as_table_factor(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_bang_not_operator(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_select_item_multi_column_alias(&self) -> bool {
        true
    }

    fn supports_cte_without_as(&self) -> bool {
        true
    }

    fn supports_order_by_all(&self) -> bool {
        true
    }

    fn supports_pipe_operator(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_interval_options(&self) -> bool {
        true
    }

    fn supports_comma_separated_trim(&self) -> bool {
        true
    }

    fn supports_table_sample_before_alias(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn allow_extract_single_quotes(&self) -> bool {
        true
    }

    fn supports_subquery_as_function_arg(&self) -> bool {
        true
    }
}

/// `DATE '2024-01-01'`: a name that is followed by text.
fn typed_string(parser: &mut Parser, name: &str) -> Option<Result<Expr, ParserError>> {
    if !matches!(parser.peek_nth_token_ref(1).token, Token::SingleQuotedString(_)) {
        return None;
    }
    parser.next_token();
    Some(parser.parse_value().map(|value| literal(name, value)))
}

/// `TRIM(LEADING FROM a)`: without characters; with some, it is sqlparser's.
fn trim_side(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let side = match keyword(&parser.peek_nth_token_ref(2).token) {
        Keyword::LEADING => TrimWhereField::Leading,
        Keyword::TRAILING => TrimWhereField::Trailing,
        Keyword::BOTH => TrimWhereField::Both,
        _ => return None,
    };
    Some(operand_after_from(parser)?.map(|expr| Expr::Trim {
        expr: Box::new(expr),
        trim_where: Some(side),
        trim_what: None,
        trim_characters: None,
    }))
}

/// `EXISTS(array, x -> ...)`: the function, where no query stands in the parentheses.
fn exists(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let begins_query = matches!(
        keyword(&parser.peek_nth_token_ref(2).token),
        Keyword::SELECT | Keyword::WITH | Keyword::FROM | Keyword::VALUES | Keyword::TABLE
    );
    if parser.peek_nth_token_ref(1).token != Token::LParen
        || begins_query
        || parser.peek_nth_token_ref(2).token == Token::LParen
    {
        return None;
    }
    parser.next_token();
    Some(parser.parse_function(ObjectName::from(vec![Ident::new("exists")])))
}

/// `STRUCT(a AS x, b y)`: sqlparser wants the `AS`.
fn structure(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    if parser.peek_nth_token_ref(1).token != Token::LParen || parser.peek_nth_token_ref(2).token == Token::RParen {
        return None;
    }
    parser.next_token();
    parser.next_token();
    let field = |parser: &mut Parser| {
        let expr = parser.parse_expr()?;
        let named = parser.parse_keyword(Keyword::AS) || matches!(parser.peek_token_ref().token, Token::Word(_));
        Ok(match named {
            true => Expr::Named { expr: Box::new(expr), name: parser.parse_identifier()? },
            false => expr,
        })
    };
    let values = parser.parse_comma_separated(field);
    let values = values.and_then(|values| parser.expect_token(&Token::RParen).map(|_| values));
    Some(values.map(|values| Expr::Struct { values, fields: Vec::new() }))
}

/// The operand of `NAME(word FROM operand)`; none of what has another form, and nothing is read of that.
fn operand_after_from(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    if parser.peek_nth_token_ref(1).token != Token::LParen
        || keyword(&parser.peek_nth_token_ref(3).token) != Keyword::FROM
    {
        return None;
    }
    for _ in 0..4 {
        parser.next_token();
    }
    Some(parser.parse_expr().and_then(|operand| parser.expect_token(&Token::RParen).map(|_| operand)))
}

/// `EXTRACT(field FROM source)` as a call that keeps the field as it is written.
fn extract(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let field = match &parser.peek_nth_token_ref(2).token {
        Token::Word(Word { value, .. }) | Token::SingleQuotedString(value) => value.clone(),
        _ => return None,
    };
    Some(operand_after_from(parser)?.map(|source| Expr::Extract {
        field: DateTimeField::Custom(Ident::new(field)),
        syntax: ExtractSyntax::From,
        expr: Box::new(source),
    }))
}

/// The keyword that a token is, if it is one.
pub(super) fn keyword(token: &Token) -> Keyword {
    match token {
        Token::Word(Word { keyword, quote_style: None, .. }) => *keyword,
        _ => Keyword::NoKeyword,
    }
}

/// `INTERVAL '1 day'`, `INTERVAL 1 DAY 2 HOURS` and `INTERVAL '1 2:03' DAY TO MINUTE`; none where the word is a name.
///
/// The type of the literal is `INTERVAL` for text with its own units, else `INTERVAL DAY TO MINUTE`.
fn interval(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let value_at = |parser: &Parser, n: usize| {
        let signed = matches!(parser.peek_nth_token_ref(n).token, Token::Plus | Token::Minus);
        matches!(
            parser.peek_nth_token_ref(n + usize::from(signed)).token,
            Token::Number(..) | Token::SingleQuotedString(_)
        )
    };
    if !value_at(parser, 1) {
        // sqlparser insists on a literal.
        let is_name = parser.peek_nth_token_ref(1).token != Token::LParen;
        return is_name.then(|| parser.parse_identifier().map(Expr::Identifier));
    }
    let start = parser.next_token().span;
    let mut parts = Vec::new();
    while value_at(parser, 0) {
        let text = matches!(parser.peek_token_ref().token, Token::SingleQuotedString(_));
        let value = signed_value(parser);
        let Some(unit) = eat_unit(parser) else {
            // Text may hold its own units; a number cannot.
            if !text || !parts.is_empty() {
                let found = parser.next_token();
                return Some(parser.expected("a unit of time", found));
            }
            return Some(Ok(literal("INTERVAL", Value::SingleQuotedString(value).with_span(start))));
        };
        if parts.is_empty() && parser.parse_keyword(Keyword::TO) {
            let Some(last) = eat_unit(parser) else {
                let found = parser.next_token();
                return Some(parser.expected("a unit of time", found));
            };
            return Some(Ok(literal(
                &format!("INTERVAL {unit} TO {last}"),
                Value::SingleQuotedString(value).with_span(start),
            )));
        }
        parts.push(format!("{value} {unit}"));
    }
    Some(Ok(literal("INTERVAL UNITS", Value::SingleQuotedString(parts.join(" ")).with_span(start))))
}

fn signed_value(parser: &mut Parser) -> String {
    let sign = match parser.next_token().token {
        Token::Minus => "-",
        Token::Plus => "",
        Token::Number(text, _) | Token::SingleQuotedString(text) => return text,
        _ => return String::new(),
    };
    match parser.next_token().token {
        Token::Number(text, _) | Token::SingleQuotedString(text) => match text.trim().strip_prefix('-') {
            Some(magnitude) if sign == "-" => magnitude.to_owned(),
            _ => format!("{sign}{}", text.trim()),
        },
        _ => String::new(),
    }
}

fn eat_unit(parser: &mut Parser) -> Option<String> {
    let Token::Word(Word { value, quote_style: None, .. }) = &parser.peek_token_ref().token else { return None };
    let unit = value.to_ascii_uppercase();
    let known = super::interval::is_unit(&unit);
    if known {
        parser.next_token();
    }
    known.then_some(unit)
}

fn literal(name: &str, value: sqlparser::ast::ValueWithSpan) -> Expr {
    Expr::TypedString(TypedString {
        data_type: DataType::Custom(ObjectName::from(vec![Ident::new(name)]), Vec::new()),
        value,
        uses_odbc_syntax: false,
    })
}
