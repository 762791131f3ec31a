//! A place in a list of tokens, for the grammars that are written by hand: statements and types.

use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::error;
use crate::error::{Result, SparkError};

/// Whether a token is this word, in any case and without quotes.
pub(crate) fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// The tokens of a text and how far they have been read.
#[derive(Debug)]
pub(crate) struct Cursor {
    tokens: Vec<TokenWithSpan>,
    next: usize,
}

impl Cursor {
    /// Stands before the first token.
    pub(crate) fn new(tokens: Vec<TokenWithSpan>) -> Self {
        Self { tokens, next: 0 }
    }

    /// The next token, if there is one.
    pub(crate) fn peek(&self) -> Option<&Token> {
        self.peek_nth(0)
    }

    /// The token `n` places after the next one.
    pub(crate) fn peek_nth(&self, n: usize) -> Option<&Token> {
        self.tokens.get(self.next + n).map(|t| &t.token)
    }

    /// Takes the next token.
    pub(crate) fn advance(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += usize::from(token.is_some());
        token
    }

    /// Whether everything has been read.
    pub(crate) fn at_end(&self) -> bool {
        self.peek().is_none()
    }

    /// The tokens that have not been read.
    pub(crate) fn rest(&self) -> &[TokenWithSpan] {
        self.tokens.get(self.next..).unwrap_or_default()
    }

    /// The tokens that have not been read, to keep.
    pub(crate) fn into_rest(mut self) -> Vec<TokenWithSpan> {
        self.tokens.split_off(self.next.min(self.tokens.len()))
    }

    /// The syntax error at the next token.
    pub(crate) fn unexpected(&self) -> SparkError {
        self.tokens.get(self.next).map_or_else(error::at_end, error::near)
    }

    /// Takes the next token if it is this one.
    pub(crate) fn eat(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.next += usize::from(there);
        there
    }

    /// Takes this token, or fails.
    pub(crate) fn expect(&mut self, token: &Token) -> Result<()> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The token `n` places on, if it is a word without quotes.
    pub(crate) fn peek_word(&self, n: usize) -> Option<&str> {
        match self.peek_nth(n) {
            Some(Token::Word(Word { value, quote_style: None, .. })) => Some(value),
            _ => None,
        }
    }

    /// Takes the next tokens if they are these words, in any case.
    pub(crate) fn eat_words(&mut self, words: &[&str]) -> bool {
        let all_there =
            words.iter().enumerate().all(|(n, word)| self.peek_word(n).is_some_and(|w| w.eq_ignore_ascii_case(word)));
        if all_there {
            self.next += words.len();
        }
        all_there
    }

    /// Takes these words, or fails.
    pub(crate) fn expect_words(&mut self, words: &[&str]) -> Result<()> {
        if self.eat_words(words) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes an identifier, with or without quotes.
    pub(crate) fn identifier(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let value = word.value.clone();
                self.next += 1;
                Ok(value)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Takes identifiers with dots between them.
    pub(crate) fn qualified_name(&mut self) -> Result<Vec<String>> {
        let mut parts = vec![self.identifier()?];
        while self.eat(&Token::Period) {
            parts.push(self.identifier()?);
        }
        Ok(parts)
    }

    /// Takes a string.
    pub(crate) fn string(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::SingleQuotedString(s)) => {
                let value = s.clone();
                self.next += 1;
                Ok(value)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Takes an unsigned integer.
    pub(crate) fn integer<T: std::str::FromStr>(&mut self) -> Result<T> {
        let value = match self.peek() {
            Some(Token::Number(digits, _)) => digits.parse().ok(),
            _ => None,
        };
        let value = value.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok(value)
    }
}
