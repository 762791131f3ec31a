//! Spark's tokens. The tokeniser is sqlparser's; what Spark writes differently is mended here, token by token:
//! string escapes, numbers with a type suffix, identifiers that start with a digit, numbered `?` markers.

use std::any::TypeId;

use sqlparser::dialect::{Dialect, GenericDialect};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use super::error;
use crate::error::Result;

/// The tokens of `text` without white space and comments.
pub(crate) fn lex(text: &str) -> Result<Vec<TokenWithSpan>> {
    let tokens = Tokenizer::new(&LexDialect, text).with_unescape(false).tokenize_with_location().map_err(|e| {
        if e.message.contains("multi-line comment") {
            return error::unclosed_comment();
        }
        let rest: String = text
            .lines()
            .nth((e.location.line as usize).saturating_sub(1))
            .map_or(String::new(), |l| l.chars().skip((e.location.column as usize).saturating_sub(1)).collect());
        if rest.is_empty() { error::at_end() } else { error::near_text(&rest, e.location) }
    })?;
    let mut mended: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut markers = 0_usize;
    for mut next in tokens {
        next.token = match next.token {
            Token::Whitespace(_) | Token::EOF => continue,
            Token::SingleQuotedString(s) => Token::SingleQuotedString(unescape(&s, '\'')),
            Token::DoubleQuotedString(s) => Token::SingleQuotedString(unescape(&s, '"')),
            Token::SingleQuotedRawStringLiteral(s) | Token::DoubleQuotedRawStringLiteral(s) => {
                Token::SingleQuotedString(s)
            }
            Token::Number(digits, long) => Token::Number(digits + if long { "L" } else { "" }, false),
            Token::Placeholder(s) if s == "?" => {
                markers += 1;
                Token::Placeholder(format!("?{}", markers - 1))
            }
            Token::Word(word) if word.quote_style == Some('`') => {
                Token::Word(Word { value: word.value.replace("``", "`"), ..word })
            }
            other => other,
        };
        let joined = mended.last_mut().is_some_and(|last| join_number(last, &next) || join_bytes(last, &next));
        if !joined {
            mended.push(next);
        }
    }
    Ok(mended)
}

/// Puts a word that touches a number to it: `10L` is a number of type `BIGINT`, `1st` an identifier.
fn join_number(number: &mut TokenWithSpan, word: &TokenWithSpan) -> bool {
    let (Token::Number(digits, _), Token::Word(Word { value, quote_style: None, .. })) = (&number.token, &word.token)
    else {
        return false;
    };
    if number.span.end != word.span.start {
        return false;
    }
    let joined = format!("{digits}{value}");
    if is_suffix(value) && !digits.ends_with('L') {
        number.token = Token::Number(joined, false);
    } else if joined.chars().all(|c| c.is_alphanumeric() || c == '_') {
        number.token = Token::Word(Word { value: joined, quote_style: None, keyword: Keyword::NoKeyword });
    } else {
        return false;
    }
    number.span.end = word.span.end;
    true
}

/// `X '1F'`: bytes, also with a space between.
fn join_bytes(prefix: &mut TokenWithSpan, digits: &TokenWithSpan) -> bool {
    let (Token::Word(Word { value, quote_style: None, .. }), Token::SingleQuotedString(text)) =
        (&prefix.token, &digits.token)
    else {
        return false;
    };
    if !value.eq_ignore_ascii_case("x") {
        return false;
    }
    prefix.token = Token::HexStringLiteral(text.clone());
    prefix.span.end = digits.span.end;
    true
}

fn is_suffix(word: &str) -> bool {
    ["L", "S", "Y", "D", "F", "BD"].iter().any(|suffix| word.eq_ignore_ascii_case(suffix))
}

/// The text between two quotes with Spark's escapes replaced. `\%` and `\_` stay as they are: they are for `LIKE`.
fn unescape(raw: &str, quote: char) -> String {
    if !raw.contains(['\\', quote]) {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        if c == quote {
            // It can only be the first of two, which stand for one.
            rest.next();
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(escaped) = rest.next() else { break };
        match escaped {
            '0'..='3' if octal(rest.as_str()).is_some() => {
                let low = octal(rest.as_str()).unwrap_or_default();
                let high = escaped.to_digit(8).unwrap_or_default();
                out.extend(char::from_u32(high * 64 + low));
                rest = rest.as_str().get(2..).unwrap_or_default().chars();
            }
            'u' | 'U' => {
                let width = if escaped == 'u' { 4 } else { 8 };
                match hex(rest.as_str(), width) {
                    Some(c) => {
                        out.push(c);
                        rest = rest.as_str().get(width..).unwrap_or_default().chars();
                    }
                    None => out.push(escaped),
                }
            }
            '0' => out.push('\0'),
            'b' => out.push('\u{8}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'Z' => out.push('\u{1a}'),
            '%' | '_' => out.extend(['\\', escaped]),
            other => out.push(other),
        }
    }
    out
}

fn octal(rest: &str) -> Option<u32> {
    let digits = rest.get(..2)?;
    digits.bytes().all(|b| matches!(b, b'0'..=b'7')).then(|| u32::from_str_radix(digits, 8).ok()).flatten()
}

fn hex(rest: &str, width: usize) -> Option<char> {
    let digits = rest.get(..width)?;
    let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    all_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten().and_then(char::from_u32)
}

/// The dialect of the tokeniser alone. It passes for sqlparser's generic one, the only one whose tokeniser knows raw
/// strings (`r'a\b'`) without also knowing comments that Spark has not.
#[derive(Debug)]
struct LexDialect;

impl Dialect for LexDialect {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_pipe_operator(&self) -> bool {
        true
    }
}
