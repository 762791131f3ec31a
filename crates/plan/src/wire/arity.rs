//! How many arguments a function takes, of any types: its signature, for `#[serde(with)]`.

use datafusion::logical_expr::{Signature, TypeSignature, Volatility};
use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};

/// So many arguments of any types.
pub(crate) fn any(count: usize, volatility: Volatility) -> Signature {
    match count {
        0 => Signature::nullary(volatility),
        count => Signature::any(count, volatility),
    }
}

/// The same of a function that gives one result for one value.
pub(crate) fn immutable(count: usize) -> Signature {
    any(count, Volatility::Immutable)
}

#[derive(Serialize, Deserialize)]
struct Arity {
    count: usize,
    volatile: bool,
}

pub(crate) fn serialize<S: Serializer>(signature: &Signature, serializer: S) -> Result<S::Ok, S::Error> {
    let count = match signature.type_signature {
        TypeSignature::Nullary => 0,
        TypeSignature::Any(count) => count,
        _ => return Err(S::Error::custom("it takes arguments of certain types")),
    };
    Arity { count, volatile: signature.volatility == Volatility::Volatile }.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Signature, D::Error> {
    let Arity { count, volatile } = Arity::deserialize(deserializer)?;
    if count > usize::from(u16::MAX) {
        return Err(D::Error::custom("a function has fewer arguments"));
    }
    Ok(any(count, if volatile { Volatility::Volatile } else { Volatility::Immutable }))
}
