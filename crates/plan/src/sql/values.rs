//! `VALUES` in the forms that sqlparser does not take: rows without parentheses, and a query with an alias.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::dialect::keyword;
use super::parse::begins_operand;
use super::reserved::begins_query;

/// The tokens with every `VALUES` as sqlparser has it.
pub(super) fn mended(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|t| keyword(&t.token) == Keyword::VALUES) {
        return tokens;
    }
    with_alias(in_rows(tokens))
}

/// `VALUES (1) AS t(x)` as `SELECT * FROM VALUES (1) AS t(x)` where it is a query.
fn with_alias(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut done: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let is_values = keyword(&token.token) == Keyword::VALUES;
        if is_values && begins_query(done.last().map(|t| &t.token)) && has_alias(&tokens[at + 1..]) {
            let words = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
            done.extend(words.map(|word| TokenWithSpan { token: word, span: token.span }));
        }
        done.push(token.clone());
    }
    done
}

/// Whether a name follows the rows.
fn has_alias(rows: &[TokenWithSpan]) -> bool {
    let mut depth = 0_usize;
    let mut last = None;
    for TokenWithSpan { token, .. } in rows {
        match token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return false,
            Token::RParen => depth -= 1,
            Token::Comma => {}
            other if depth == 0 => return last == Some(&Token::RParen) && begins_alias(other),
            _ => {}
        }
        last = Some(token);
    }
    false
}

/// Whether this can be an alias, or the word before one.
fn begins_alias(token: &Token) -> bool {
    matches!(token, Token::Word(_)) && !NO_ALIAS.contains(&keyword(token))
}

/// Whether this is a name and nothing else: behind a value, no part of it.
fn is_plain_name(token: &Token) -> bool {
    matches!(token, Token::Word(_)) && keyword(token) == Keyword::NoKeyword
}

/// Whether a value can end here.
fn ends_value(token: &Token) -> bool {
    matches!(token, Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen)
}

/// Words that go on behind the rows.
const NO_ALIAS: [Keyword; 27] = [
    Keyword::ORDER,
    Keyword::LIMIT,
    Keyword::OFFSET,
    Keyword::UNION,
    Keyword::EXCEPT,
    Keyword::INTERSECT,
    Keyword::MINUS,
    Keyword::WHERE,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::SORT,
    Keyword::CLUSTER,
    Keyword::DISTRIBUTE,
    Keyword::AND,
    Keyword::OR,
    Keyword::IN,
    Keyword::IS,
    Keyword::LIKE,
    Keyword::ILIKE,
    Keyword::RLIKE,
    Keyword::REGEXP,
    Keyword::BETWEEN,
    Keyword::NOT,
    Keyword::DIV,
    Keyword::COLLATE,
    Keyword::JOIN,
    Keyword::LATERAL,
];

/// `VALUES 1, 2` as `VALUES (1), (2)`, the only form that sqlparser takes.
fn in_rows(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let parenthesis = |token: Token, at: &TokenWithSpan| TokenWithSpan { token, span: at.span };
    let mut done = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    // How deep in parentheses the list of rows is, while there is one.
    let mut list: Option<usize> = None;
    let mut depth = 0_usize;
    while let Some(next) = rest.next() {
        match next.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => {
                depth = depth.saturating_sub(1);
                list = list.filter(|own| depth >= *own);
            }
            _ => {}
        }
        let begins_row = keyword(&next.token) == Keyword::VALUES || (next.token == Token::Comma && list == Some(depth));
        if keyword(&next.token) == Keyword::VALUES {
            list = Some(depth);
        }
        done.push(next);
        let bare = rest.peek().is_some_and(|t| begins_operand(&t.token) && t.token != Token::LParen);
        if !begins_row || !bare {
            continue;
        }
        let open = rest.peek().map(|t| parenthesis(Token::LParen, t));
        done.extend(open);
        let mut inner = 0_usize;
        let mut complete = false;
        while let Some(token) =
            rest.next_if(|t| inner > 0 || !(ends_row(&t.token) || complete && is_plain_name(&t.token)))
        {
            match token.token {
                Token::LParen | Token::LBracket => inner += 1,
                Token::RParen | Token::RBracket => inner = inner.saturating_sub(1),
                _ => {}
            }
            complete = inner == 0 && ends_value(&token.token);
            done.push(token);
        }
        let close = done.last().map(|t| parenthesis(Token::RParen, t));
        done.extend(close);
    }
    done
}

/// Whether a token ends a row of `VALUES` that stands without parentheses.
fn ends_row(token: &Token) -> bool {
    let ending = [
        Keyword::AS,
        Keyword::ORDER,
        Keyword::LIMIT,
        Keyword::OFFSET,
        Keyword::UNION,
        Keyword::EXCEPT,
        Keyword::INTERSECT,
        Keyword::WHERE,
        Keyword::GROUP,
        Keyword::HAVING,
        Keyword::JOIN,
    ];
    matches!(token, Token::Comma | Token::RParen | Token::SemiColon | Token::EOF) || ending.contains(&keyword(token))
}
