//! A JSON value as it stands in a text, with what Spark's reader allows beyond the standard.

use std::borrow::Cow;

use sheetbend_plan::error::Result;

use crate::options::Options;

/// How deep values may lie in each other.
const DEEPEST: usize = 1000;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// The items, and the text of all of it.
    Array(Vec<Json<'a>>, &'a str),
    /// The fields in their order, and the text of all of it.
    Object(Vec<(Cow<'a, str>, Json<'a>)>, &'a str),
}

impl<'a> Json<'a> {
    /// The value of the field of a name, which as a rule is the one at `hint`. Of two of one name, the last counts.
    pub(crate) fn get(&self, name: &str, hint: usize) -> Option<&Self> {
        let Self::Object(fields, _) = self else { return None };
        match fields.get(hint) {
            Some((at_hint, value)) if at_hint == name => Some(value),
            _ => fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value),
        }
    }

    /// The text of a value: of a string without its quotes.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Null => None,
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Text(text) => Some(text),
            Self::Number(text) | Self::Array(_, text) | Self::Object(_, text) => Some(text),
        }
    }
}

/// The text of an object or array without the spaces between its parts.
pub(super) fn compact(text: &str) -> String {
    let (mut quote, mut escaped) = (None, false);
    let is_part = |c: &char| {
        match quote {
            Some(end) => {
                if *c == end && !escaped {
                    quote = None;
                }
                escaped = *c == '\\' && !escaped;
            }
            None if matches!(c, '"' | '\'') => quote = Some(*c),
            None => return !c.is_ascii_whitespace(),
        }
        true
    };
    text.chars().filter(is_part).collect()
}

/// What a reader allows beyond the standard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    comments: bool,
    unquoted_names: bool,
    single_quotes: bool,
    leading_zeros: bool,
    non_numeric: bool,
    any_escape: bool,
    control_characters: bool,
}

impl Allowed {
    /// # Errors
    /// A value that an option does not take.
    pub(crate) fn of(options: &Options) -> Result<Self> {
        Ok(Self {
            comments: options.flag("allowComments", false)?,
            unquoted_names: options.flag("allowUnquotedFieldNames", false)?,
            single_quotes: options.flag("allowSingleQuotes", true)?,
            leading_zeros: options.flag("allowNumericLeadingZeros", false)?,
            non_numeric: options.flag("allowNonNumericNumbers", true)?,
            any_escape: options.flag("allowBackslashEscapingAnyCharacter", false)?,
            control_characters: options.flag("allowUnquotedControlChars", false)?,
        })
    }

    /// The first value of a text, none where there is only space: what stands behind it is passed over.
    pub(crate) fn parse<'a>(&self, text: &'a str) -> Result<Option<Json<'a>>, Malformed> {
        let mut parser = Parser { text, at: 0, allowed: self };
        parser.space()?;
        if parser.at == text.len() {
            return Ok(None);
        }
        parser.value(0).map(Some)
    }
}

/// Text that is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

struct Parser<'a, 'o> {
    text: &'a str,
    at: usize,
    allowed: &'o Allowed,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) -> Result<(), Malformed> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.allowed.comments => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Malformed> {
        let rest = &self.text[self.at..];
        let length = match rest.get(..2) {
            Some("/*") => rest.find("*/").map(|end| end + 2),
            Some("//") => Some(rest.find('\n').unwrap_or(rest.len())),
            _ => None,
        };
        self.at += length.ok_or(Malformed)?;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        match self.peek().ok_or(Malformed)? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            quote @ (b'"' | b'\'') if quote == b'"' || self.allowed.single_quotes => {
                self.at += 1;
                Ok(Json::Text(self.string(quote)?))
            }
            b'-' | b'+' | b'0'..=b'9' | b'N' | b'I' => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json<'a>, Malformed> {
        let rest = &self.text[self.at..];
        let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
        let (word, value) = words.into_iter().find(|(word, _)| rest.starts_with(word)).ok_or(Malformed)?;
        self.at += word.len();
        self.ends().then_some(value).ok_or(Malformed)
    }

    /// Whether a value may end here.
    fn ends(&self) -> bool {
        matches!(self.peek(), None | Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}' | b'/'))
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        let start = self.at;
        let mut fields = vec![];
        self.at += 1;
        self.space()?;
        if !self.take(b'}') {
            loop {
                self.space()?;
                let name = self.name()?;
                self.space()?;
                if !self.take(b':') {
                    return Err(Malformed);
                }
                self.space()?;
                fields.push((name, self.value(depth + 1)?));
                self.space()?;
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return Err(Malformed);
                }
            }
        }
        Ok(Json::Object(fields, &self.text[start..self.at]))
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        let start = self.at;
        let mut items = vec![];
        self.at += 1;
        self.space()?;
        if !self.take(b']') {
            loop {
                self.space()?;
                items.push(self.value(depth + 1)?);
                self.space()?;
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return Err(Malformed);
                }
            }
        }
        Ok(Json::Array(items, &self.text[start..self.at]))
    }

    fn name(&mut self) -> Result<Cow<'a, str>, Malformed> {
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) if quote == b'"' || self.allowed.single_quotes => {
                self.at += 1;
                self.string(quote)
            }
            Some(_) if self.allowed.unquoted_names => {
                let rest = &self.text[self.at..];
                let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$')).unwrap_or(rest.len());
                self.at += end;
                if end == 0 { Err(Malformed) } else { Ok(Cow::Borrowed(&rest[..end])) }
            }
            _ => Err(Malformed),
        }
    }

    /// What stands before the next `quote`.
    fn string(&mut self, quote: u8) -> Result<Cow<'a, str>, Malformed> {
        let start = self.at;
        loop {
            match self.peek().ok_or(Malformed)? {
                byte if byte == quote => {
                    self.at += 1;
                    return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
                }
                b'\\' => return self.escaped(start, quote).map(Cow::Owned),
                byte if byte < 0x20 && !self.allowed.control_characters => return Err(Malformed),
                _ => self.at += 1,
            }
        }
    }

    /// The same, from the first backslash on.
    fn escaped(&mut self, start: usize, quote: u8) -> Result<String, Malformed> {
        let mut text = self.text[start..self.at].to_owned();
        loop {
            let c = self.text[self.at..].chars().next().ok_or(Malformed)?;
            self.at += c.len_utf8();
            match c {
                c if c == char::from(quote) => return Ok(text),
                '\\' => {
                    let escape = self.text[self.at..].chars().next().ok_or(Malformed)?;
                    self.at += escape.len_utf8();
                    text.push(self.unescaped(escape)?);
                }
                c if u32::from(c) < 0x20 && !self.allowed.control_characters => return Err(Malformed),
                c => text.push(c),
            }
        }
    }

    fn unescaped(&mut self, escape: char) -> Result<char, Malformed> {
        Ok(match escape {
            '"' | '\\' | '/' => escape,
            '\'' if self.allowed.single_quotes => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex()?;
                if !(0xD800..0xDC00).contains(&first) {
                    return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                let rest = self.at;
                let second = if self.take(b'\\') && self.take(b'u') { self.hex()? } else { 0 };
                if !(0xDC00..0xE000).contains(&second) {
                    self.at = rest;
                    return Ok(char::REPLACEMENT_CHARACTER);
                }
                char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(Malformed)?
            }
            other if self.allowed.any_escape => other,
            _ => return Err(Malformed),
        })
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Malformed)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Malformed)
    }

    fn number(&mut self) -> Result<Json<'a>, Malformed> {
        let rest = &self.text[self.at..];
        let special = ["NaN", "-Infinity", "+Infinity", "Infinity", "-INF", "+INF", "INF"];
        let special = special.into_iter().find(|word| self.allowed.non_numeric && rest.starts_with(word));
        let length = match special {
            Some(word) => word.len(),
            None => self.number_length(rest.as_bytes()).ok_or(Malformed)?,
        };
        self.at += length;
        self.ends().then_some(Json::Number(&rest[..length])).ok_or(Malformed)
    }

    fn number_length(&self, bytes: &[u8]) -> Option<usize> {
        let digits =
            |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = usize::from(bytes.first() == Some(&b'-'));
        let whole = digits(at);
        if whole == 0 || (whole > 1 && bytes[at] == b'0' && !self.allowed.leading_zeros) {
            return None;
        }
        at += whole;
        if bytes.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            at += 1 + fraction;
            if fraction == 0 {
                return None;
            }
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at + 1 + sign);
            at += 1 + sign + exponent;
            if exponent == 0 {
                return None;
            }
        }
        Some(at)
    }
}
