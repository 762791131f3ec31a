//! Runs sqlparser over tokens, with room enough and an end to its patience, and gives its errors Spark's form.

use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use super::cursor::is_word;
use super::dialect::{DIV, IS_DISTINCT_FROM, SHIFT_UNSIGNED, SparkDialect, keyword};
use super::recursion_level::{self, Levels};
use super::{error, reserved, values};
use crate::error::{ErrorClass, Result, SparkError};

/// How deep sqlparser may call itself.
const MAX_NESTING: usize = 250;
/// How deep a tree the tokens may make, at most. sqlparser builds long chains (`a + b + ...`) without calling itself,
/// but they are dropped by calls that are as deep as the chain is long.
const MAX_CHAIN: usize = 50_000;
/// What one level of a syntax tree may take of the stack while it is dropped, in an unoptimised build.
const STACK_PER_LEVEL: usize = 1024;
/// How deep types may be nested. sqlparser reads them by calls that it neither counts nor makes room for; so many fit
/// into the 128 KiB that it has left at least.
const MAX_TYPE_NESTING: usize = 30;
/// What one call of sqlparser takes at the most; where it calls itself, it makes room on its own.
const STACK_FOR_PARSING: usize = 512 * 1024;

/// What is known of a syntax tree beside it.
pub(super) struct Known {
    /// The stack, in bytes, that dropping the tree can take: whoever takes it apart keeps so much free.
    pub(super) tree_stack: usize,
    /// What its tokens said of recursions.
    pub(super) levels: Levels,
}

/// Parses all of `tokens` with `read`, and hands the result to `then` along with what is known of it. Both run with
/// the stack that dropping it can take, and more.
pub(super) fn parse<T, R>(
    tokens: Vec<TokenWithSpan>,
    read: impl FnOnce(&mut Parser) -> Result<T, ParserError>,
    then: impl FnOnce(T, Known) -> Result<R>,
) -> Result<R> {
    let depth = chain_length(&tokens);
    if depth > MAX_CHAIN || type_nesting(&tokens) > MAX_TYPE_NESTING {
        return Err(error::too_complex());
    }
    // As a type, in another dialect, this too can be nested without end.
    if let Some(at) = tokens.windows(2).position(is_table_argument) {
        return Err(table_argument(&tokens[at + 2..]));
    }
    let (tokens, levels) = recursion_level::take(tokens);
    let tokens = fuse(reserved::as_names(tokens));
    let tree_stack = depth * STACK_PER_LEVEL;
    stacker::maybe_grow(STACK_FOR_PARSING + tree_stack, 2 * STACK_FOR_PARSING + tree_stack, || {
        let dialect = SparkDialect::new(tokens.len());
        let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_NESTING).with_tokens_with_locations(tokens);
        let result = read(&mut parser).and_then(|tree| match parser.peek_token_ref() {
            TokenWithSpan { token: Token::EOF, .. } => Ok(tree),
            other => parser.expected_ref("end of the text", other),
        });
        match result {
            Ok(tree) => then(tree, Known { tree_stack, levels }),
            Err(_) if dialect.is_exhausted() => Err(error::too_complex()),
            Err(e) => {
                let tokens = parser.into_tokens();
                Err(misplaced_star(&tokens).unwrap_or_else(|| syntax_error(e, &tokens)))
            }
        }
    })
}

fn is_table_argument(pair: &[TokenWithSpan]) -> bool {
    matches!(pair, [a, b] if keyword(&a.token) == Keyword::TABLE && b.token == Token::LParen)
}

/// The error for `TABLE(...)`, whose argument is a call or the name of a table.
fn table_argument(inside: &[TokenWithSpan]) -> SparkError {
    match inside {
        [name, open, ..] if is_word(&name.token, "range") && open.token == Token::LParen => {
            let message = "`range` appears as a scalar expression here, but is a table function. Call it in FROM.";
            SparkError::new(ErrorClass::Analysis, "NOT_A_SCALAR_FUNCTION", "42887", message)
                .with("functionName", "`range`")
        }
        _ => SparkError::unsupported("TABLE(...)"),
    }
}

/// The error for a star that is multiplied or has a name: `SELECT * * FROM t`, `SELECT * FROM`.
fn misplaced_star(tokens: &[TokenWithSpan]) -> Option<SparkError> {
    let kinds: Vec<_> = tokens.iter().map(|t| &t.token).filter(|token| **token != Token::EOF).collect();
    let name = match kinds.as_slice() {
        [.., Token::Mul, Token::Word(from)] if from.value.eq_ignore_ascii_case("from") => "alias",
        kinds if kinds.windows(3).any(|three| matches!(three, [Token::Word(_), Token::Mul, Token::Mul])) => "multiply",
        _ => return None,
    };
    let message = format!("Invalid usage of '*' in expression `{name}`.");
    let error = SparkError::new(ErrorClass::Analysis, "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", message);
    Some(error.with("elem", "'*'").with("prettyName", format!("expression `{name}`")))
}

/// A bound of the depth of any tree that these tokens can make: each token adds one level at the most, and a comma
/// begins a new branch.
fn chain_length(tokens: &[TokenWithSpan]) -> usize {
    // Of each open parenthesis: the longest branch that is complete, and the one that is being read.
    let mut open = vec![(0_usize, 0_usize)];
    for token in tokens {
        match token.token {
            Token::LParen | Token::LBracket => open.push((0, 1)),
            Token::RParen | Token::RBracket if open.len() > 1 => {
                let (longest, current) = open.pop().unwrap_or_default();
                if let Some((_, outer)) = open.last_mut() {
                    *outer += longest.max(current);
                }
            }
            _ => {
                if let Some((longest, current)) = open.last_mut() {
                    if token.token == Token::Comma {
                        *longest = (*longest).max(*current);
                        *current = 0;
                    } else {
                        *current += 1;
                    }
                }
            }
        }
    }
    open.into_iter().map(|(longest, current)| longest.max(current)).sum()
}

/// How deep types are nested: `array<array<int>>` two levels.
fn type_nesting(tokens: &[TokenWithSpan]) -> usize {
    // What is open: true for the bracket of a type, false for a parenthesis, within which `>` compares.
    let mut open: Vec<bool> = Vec::new();
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut last = Keyword::NoKeyword;
    for TokenWithSpan { token, .. } in tokens {
        match token {
            Token::Lt if matches!(last, Keyword::ARRAY | Keyword::MAP | Keyword::STRUCT) => {
                open.push(true);
                depth += 1;
                deepest = deepest.max(depth);
            }
            Token::LParen => open.push(false),
            Token::RParen => {
                while open.pop() == Some(true) {
                    depth -= 1;
                }
            }
            Token::Gt | Token::ShiftRight => {
                for _ in 0..if *token == Token::Gt { 1 } else { 2 } {
                    depth -= usize::from(open.pop_if(|is_type| *is_type).is_some());
                }
            }
            _ => {}
        }
        last = keyword(token);
    }
    deepest
}

/// Puts tokens together that sqlparser would take apart: adjacent strings are one string, and `DIV`, `>>>` and
/// `IS [NOT] DISTINCT FROM` are operators like any other.
fn fuse(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut fused: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut rest = values::mended(tokens).into_iter().peekable();
    while let Some(mut next) = rest.next() {
        if let (Some(Token::SingleQuotedString(text)), Token::SingleQuotedString(more)) =
            (fused.last_mut().map(|t| &mut t.token), &next.token)
        {
            text.push_str(more);
            continue;
        }
        if next.token == Token::Gt
            && let [.., operand, last] = fused.as_mut_slice()
            && last.token == Token::ShiftRight
            && last.span.end == next.span.start
            && ends_operand(&operand.token)
            && rest.peek().is_some_and(|t| begins_operand(&t.token))
        {
            last.token = Token::CustomBinaryOperator(SHIFT_UNSIGNED.to_owned());
            continue;
        }
        match keyword(&next.token) {
            Keyword::DIV
                if fused.last().is_some_and(|t| ends_operand(&t.token))
                    && rest.peek().is_some_and(|t| begins_operand(&t.token)) =>
            {
                next.token = Token::CustomBinaryOperator(DIV.to_owned());
            }
            Keyword::FROM if last_are(&fused, &[Keyword::IS, Keyword::NOT, Keyword::DISTINCT]) => {
                fused.truncate(fused.len() - 3);
                next.token = Token::Spaceship;
            }
            Keyword::FROM if last_are(&fused, &[Keyword::IS, Keyword::DISTINCT]) => {
                fused.truncate(fused.len() - 2);
                next.token = Token::CustomBinaryOperator(IS_DISTINCT_FROM.to_owned());
            }
            _ => {}
        }
        fused.push(next);
    }
    fused
}

fn last_are(tokens: &[TokenWithSpan], keywords: &[Keyword]) -> bool {
    tokens.len() >= keywords.len()
        && tokens.iter().rev().zip(keywords.iter().rev()).all(|(token, wanted)| keyword(&token.token) == *wanted)
}

fn ends_operand(token: &Token) -> bool {
    match token {
        Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) => true,
        Token::RParen | Token::RBracket => true,
        Token::Word(_) => !matches!(
            keyword(token),
            Keyword::SELECT
                | Keyword::DISTINCT
                | Keyword::WHERE
                | Keyword::HAVING
                | Keyword::BY
                | Keyword::ON
                | Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::AS
                | Keyword::CASE
                | Keyword::WHEN
                | Keyword::THEN
                | Keyword::ELSE
                | Keyword::BETWEEN
                | Keyword::IN
                | Keyword::LIKE
                | Keyword::FROM
                | Keyword::JOIN
        ),
        _ => false,
    }
}

pub(super) fn begins_operand(token: &Token) -> bool {
    match token {
        Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) => true,
        Token::LParen | Token::Plus | Token::Minus | Token::Tilde | Token::Colon => true,
        Token::Word(_) => !matches!(
            keyword(token),
            Keyword::FROM
                | Keyword::AS
                | Keyword::WHERE
                | Keyword::GROUP
                | Keyword::ORDER
                | Keyword::HAVING
                | Keyword::LIMIT
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::MINUS
                | Keyword::AND
                | Keyword::OR
                | Keyword::ASC
                | Keyword::DESC
        ),
        _ => false,
    }
}

/// sqlparser says where it stopped only in its message, as ` at Line: 1, Column: 8`; nothing stands for the end.
fn syntax_error(e: ParserError, tokens: &[TokenWithSpan]) -> SparkError {
    let message = match e {
        ParserError::RecursionLimitExceeded => return error::too_complex(),
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
    };
    let place = message.rsplit_once(" at Line: ").and_then(|(_, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some(Location { line: line.parse().ok()?, column: column.parse().ok()? })
    });
    match place.and_then(|at| tokens.iter().find(|t| t.span.start == at)) {
        Some(token) => error::near(token),
        None => error::at_end(),
    }
}
