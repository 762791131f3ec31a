//! Functions as bytes: what a plan needs to run in another process of the same version.
//!
//! A function of a library goes by the name of the library and its own, as two libraries may give one name to different
//! functions. One of ours goes by its kind and its constants.

pub(crate) mod arity;
pub mod types;

pub(crate) use self::arity::{any, immutable};

use std::any::Any;
use std::fmt::Display;
use std::sync::{Arc, LazyLock};

use datafusion::error::Result as EngineResult;
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{
    AggregateUDF, AggregateUDFImpl, HigherOrderUDF, HigherOrderUDFImpl, ScalarUDF, ScalarUDFImpl, WindowUDF,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ErrorClass, SparkError};
use crate::functions::own;

/// `function` as bytes.
///
/// # Errors
/// A function that is neither of ours nor, as it is, of a library.
pub fn encode<F: Function>(function: &F) -> EngineResult<Vec<u8>> {
    let message = match F::own().iter().find_map(|kind| Some((kind.tag, (kind.constants)(function.implementation())?)))
    {
        Some((tag, constants)) => {
            Message { of: tag.to_owned(), is: constants.map_err(|error| unknown(function.called(), error))? }
        }
        None => {
            let known = |library: &&Library<F>| library.functions.iter().any(|known| **known == *function);
            let library = F::libraries().iter().find(known);
            let library = library.ok_or_else(|| unknown(function.called(), "it is of no library that is known"))?;
            Message { of: library.name.to_owned(), is: function.called().into() }
        }
    };
    serde_json::to_vec(&message).map_err(|error| unknown(function.called(), error).into())
}

/// The function that [`encode`] made `bytes` of.
///
/// # Errors
/// Other bytes, or those of another version.
pub fn decode<F: Function>(bytes: &[u8]) -> EngineResult<Arc<F>> {
    let Message { of, is } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if let Some(kind) = F::own().iter().find(|kind| kind.tag == of) {
        return Ok(Arc::new((kind.function)(is).map_err(unreadable)?));
    }
    let library = F::libraries().iter().find(|library| library.name == of);
    let named = |function: &&Arc<F>| is.as_str() == Some(function.called());
    let found = library.and_then(|library| library.functions.iter().find(named));
    found.cloned().ok_or_else(|| unreadable(format_args!("`{of}` has no function {is}")).into())
}

fn unknown(function: &str, why: impl Display) -> SparkError {
    let message = format!("The function `{function}` cannot be sent to another process: {why}.");
    SparkError::new(ErrorClass::Unsupported, "UNSUPPORTED_OPERATION", "0A000", message)
}

fn unreadable(why: impl Display) -> SparkError {
    SparkError::internal(format_args!("The bytes of a function are those of another version, or none: {why}."))
}

/// A function: of which kind or library, and which one of it.
#[derive(Serialize, Deserialize)]
struct Message {
    of: String,
    is: Value,
}

/// Scalar, aggregate, window and higher-order functions, seen alike.
pub trait Function: PartialEq + Sized + 'static {
    /// The name in plans.
    fn called(&self) -> &str;

    /// What the function is made of.
    fn implementation(&self) -> &dyn Any;

    /// The kinds that are our own.
    fn own() -> &'static [Kind<Self>];

    /// The functions that have names alone.
    fn libraries() -> &'static [Library<Self>];
}

/// The functions that a library has under a name each.
#[derive(Debug)]
pub struct Library<F> {
    name: &'static str,
    functions: Vec<Arc<F>>,
}

impl<F> Library<F> {
    /// The functions.
    pub fn functions(&self) -> &[Arc<F>] {
        &self.functions
    }
}

/// Functions of ours that differ in their constants.
#[derive(Debug)]
pub struct Kind<F> {
    tag: &'static str,
    /// The constants of an implementation; none where it is of another kind.
    constants: fn(&dyn Any) -> Option<serde_json::Result<Value>>,
    function: fn(Value) -> serde_json::Result<F>,
}

fn constants<I: Serialize + 'static>(implementation: &dyn Any) -> Option<serde_json::Result<Value>> {
    implementation.downcast_ref::<I>().map(serde_json::to_value)
}

impl Kind<ScalarUDF> {
    pub(crate) const fn scalar<I: ScalarUDFImpl + Serialize + DeserializeOwned>(tag: &'static str) -> Self {
        Self { tag, constants: constants::<I>, function: |is| Ok(ScalarUDF::from(serde_json::from_value::<I>(is)?)) }
    }
}

impl Kind<AggregateUDF> {
    pub(crate) const fn aggregate<I: AggregateUDFImpl + Serialize + DeserializeOwned>(tag: &'static str) -> Self {
        Self { tag, constants: constants::<I>, function: |is| Ok(AggregateUDF::from(serde_json::from_value::<I>(is)?)) }
    }
}

impl Kind<HigherOrderUDF> {
    pub(crate) const fn higher_order<I: HigherOrderUDFImpl + Serialize + DeserializeOwned>(tag: &'static str) -> Self {
        let function = |is| Ok(HigherOrderUDF::new_from_impl(serde_json::from_value::<I>(is)?));
        Self { tag, constants: constants::<I>, function }
    }
}

const DATAFUSION: &str = "datafusion";
const DATAFUSION_SPARK: &str = "datafusion-spark";

impl Function for ScalarUDF {
    fn called(&self) -> &str {
        self.name()
    }

    fn implementation(&self) -> &dyn Any {
        self.inner().as_ref()
    }

    fn own() -> &'static [Kind<Self>] {
        own::SCALAR
    }

    fn libraries() -> &'static [Library<Self>] {
        static LIBRARIES: LazyLock<[Library<ScalarUDF>; 2]> = LazyLock::new(|| {
            let spark = datafusion_spark::all_default_scalar_functions();
            [
                Library { name: DATAFUSION, functions: SessionStateDefaults::default_scalar_functions() },
                Library { name: DATAFUSION_SPARK, functions: spark },
            ]
        });
        LIBRARIES.as_slice()
    }
}

impl Function for AggregateUDF {
    fn called(&self) -> &str {
        self.name()
    }

    fn implementation(&self) -> &dyn Any {
        self.inner().as_ref()
    }

    fn own() -> &'static [Kind<Self>] {
        own::AGGREGATE
    }

    fn libraries() -> &'static [Library<Self>] {
        static LIBRARIES: LazyLock<[Library<AggregateUDF>; 3]> = LazyLock::new(|| {
            let functions = SessionStateDefaults::default_aggregate_functions();
            // The optimiser puts these in place of those that are given their rows in order.
            let ordered = functions.iter().filter_map(|function| {
                AggregateUDF::clone(function).with_beneficial_ordering(true).ok().flatten().map(Arc::new)
            });
            let ordered = ordered.collect();
            [
                Library { name: DATAFUSION, functions },
                Library { name: "datafusion, ordered", functions: ordered },
                Library { name: DATAFUSION_SPARK, functions: datafusion_spark::all_default_aggregate_functions() },
            ]
        });
        LIBRARIES.as_slice()
    }
}

impl Function for WindowUDF {
    fn called(&self) -> &str {
        self.name()
    }

    fn implementation(&self) -> &dyn Any {
        self.inner().as_ref()
    }

    fn own() -> &'static [Kind<Self>] {
        &[]
    }

    fn libraries() -> &'static [Library<Self>] {
        static LIBRARIES: LazyLock<[Library<WindowUDF>; 1]> = LazyLock::new(|| {
            [Library { name: DATAFUSION, functions: SessionStateDefaults::default_window_functions() }]
        });
        LIBRARIES.as_slice()
    }
}

impl Function for HigherOrderUDF {
    fn called(&self) -> &str {
        self.name()
    }

    fn implementation(&self) -> &dyn Any {
        self.inner().as_ref()
    }

    fn own() -> &'static [Kind<Self>] {
        own::HIGHER_ORDER
    }

    fn libraries() -> &'static [Library<Self>] {
        &[]
    }
}
