//! Words that sqlparser keeps for itself where Spark takes them for names: of its keywords, none is reserved.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::dialect::keyword;

/// The words that begin or join the clauses of a query.
const CLAUSES: [Keyword; 19] = [
    Keyword::SELECT,
    Keyword::FROM,
    Keyword::WHERE,
    Keyword::GROUP,
    Keyword::ORDER,
    Keyword::HAVING,
    Keyword::LIMIT,
    Keyword::OFFSET,
    Keyword::FETCH,
    Keyword::UNION,
    Keyword::EXCEPT,
    Keyword::INTERSECT,
    Keyword::TABLE,
    Keyword::WINDOW,
    Keyword::QUALIFY,
    Keyword::SORT,
    Keyword::CLUSTER,
    Keyword::DISTRIBUTE,
    Keyword::VALUES,
];

/// Words that no alias of a table may be.
const NO_TABLE_ALIAS: [Keyword; 3] = [Keyword::UNION, Keyword::EXCEPT, Keyword::INTERSECT];

/// The tokens with quotes around the words that can only be names where they stand, and `TABLE t` as the query that
/// it stands for.
pub(super) fn as_names(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut done: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // How many CASE are open: their END is no name.
    let mut cases = 0_usize;
    let mut closes = None;
    for (at, token) in tokens.iter().enumerate() {
        let word = keyword(&token.token);
        let before = done.last().map(|t| &t.token);
        let after = |n: usize| tokens.get(at + n).map(|t| &t.token);
        if is_name(word, before, after(1), cases) || is_function_of_star(word, after(1), after(2)) {
            done.push(quoted(token.clone()));
            done.extend((closes == Some(at)).then_some(TokenWithSpan { token: Token::RParen, span: token.span }));
            continue;
        }
        match word {
            Keyword::CASE => cases += 1,
            Keyword::END => cases = cases.saturating_sub(1),
            Keyword::TABLE if begins_query(before) && matches!(after(1), Some(Token::Word(_))) => {
                let words = [Token::LParen, Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
                done.extend(words.map(|word| TokenWithSpan { token: word, span: token.span }));
                closes = Some(at + 1 + 2 * tokens[at + 1..].chunks(2).take_while(|pair| has_period(pair)).count());
                continue;
            }
            _ => {}
        }
        done.push(token.clone());
        if closes == Some(at) {
            done.push(TokenWithSpan { token: Token::RParen, span: token.span });
        }
    }
    done
}

/// Whether a part of a name is followed by another.
fn has_period(pair: &[TokenWithSpan]) -> bool {
    matches!(pair, [_, period] if period.token == Token::Period)
}

/// `struct(*)`: sqlparser has a grammar of its own for the word, without the star.
fn is_function_of_star(word: Keyword, next: Option<&Token>, then: Option<&Token>) -> bool {
    word == Keyword::STRUCT && next == Some(&Token::LParen) && then == Some(&Token::Mul)
}

fn is_name(word: Keyword, before: Option<&Token>, after: Option<&Token>, cases: usize) -> bool {
    if word == Keyword::NoKeyword {
        return false;
    }
    if before == Some(&Token::Period) {
        return true;
    }
    let before_word = before.map_or(Keyword::NoKeyword, keyword);
    let after_word = after.map_or(Keyword::NoKeyword, keyword);
    let ended = matches!(after, None | Some(Token::Comma | Token::RParen));
    match word {
        // `select 1 end` and `case ... end, x`
        Keyword::END => cases == 0 && (ended || after_word == Keyword::FROM),
        Keyword::AS => ended && before.is_some_and(ends_item),
        Keyword::DISTINCT => before == Some(&Token::LParen) && after == Some(&Token::RParen),
        Keyword::VALUES if after_word == Keyword::FROM => true,
        Keyword::FROM if matches!(before_word, Keyword::SELECT) => true,
        _ if !CLAUSES.contains(&word) => false,
        _ if before_word == Keyword::AS => !matches!(after, Some(Token::LParen)),
        // `where where id = 1`: the first is an alias.
        _ if word == after_word => !NO_TABLE_ALIAS.contains(&word),
        _ => ended && before.is_some_and(ends_item),
    }
}

/// Whether an alias may follow.
fn ends_item(token: &Token) -> bool {
    match token {
        Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen | Token::RBracket | Token::Mul => true,
        Token::Word(word) => word.quote_style.is_some() || !CLAUSES.contains(&word.keyword),
        _ => false,
    }
}

pub(super) fn begins_query(before: Option<&Token>) -> bool {
    match before {
        None | Some(Token::LParen) => true,
        Some(token) => matches!(
            keyword(token),
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::ALL | Keyword::DISTINCT | Keyword::MINUS
        ),
    }
}

fn quoted(token: TokenWithSpan) -> TokenWithSpan {
    match token.token {
        Token::Word(word) => {
            let word = Word { quote_style: Some('`'), keyword: Keyword::NoKeyword, ..word };
            TokenWithSpan { token: Token::Word(word), span: token.span }
        }
        other => TokenWithSpan { token: other, span: token.span },
    }
}
