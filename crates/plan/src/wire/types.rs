//! Arrow's types, for `#[serde(with)]`: nested ones by their fields, with the metadata, others as Arrow writes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};

/// The longest text of a type that has no fields: one with a time zone.
const LONGEST: usize = 100;

#[derive(Serialize, Deserialize)]
enum Type {
    Plain(String),
    List(Box<Column>),
    Struct(Vec<Column>),
    Map(Box<Column>, bool),
}

#[derive(Serialize, Deserialize)]
struct Column {
    name: String,
    of: Type,
    nullable: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

impl Type {
    /// None of a type that would not come back.
    fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::List(item) => Self::List(Box::new(Column::of(item)?)),
            DataType::Struct(fields) => Self::Struct(fields.iter().map(Column::of).collect::<Option<_>>()?),
            DataType::Map(entries, sorted) => Self::Map(Box::new(Column::of(entries)?), *sorted),
            plain => {
                let text = plain.to_string();
                (plain_type(&text).as_ref() == Some(plain)).then_some(Self::Plain(text))?
            }
        })
    }

    fn data_type(self) -> Result<DataType, String> {
        Ok(match self {
            Self::Plain(text) => plain_type(&text).ok_or_else(|| format!("no type is called {text}"))?,
            Self::List(item) => DataType::List(Arc::new(item.field()?)),
            Self::Struct(fields) => DataType::Struct(fields.into_iter().map(Column::field).collect::<Result<_, _>>()?),
            Self::Map(entries, sorted) => DataType::Map(Arc::new(entries.field()?), sorted),
        })
    }
}

/// Short, so that no text is nested so deeply that Arrow runs out of stack.
fn plain_type(text: &str) -> Option<DataType> {
    (text.len() <= LONGEST).then(|| text.parse().ok()).flatten()
}

impl Column {
    fn of(field: &FieldRef) -> Option<Self> {
        let metadata = field.metadata().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let of = Type::of(field.data_type())?;
        Some(Self { name: field.name().clone(), of, nullable: field.is_nullable(), metadata })
    }

    fn field(self) -> Result<Field, String> {
        let field = Field::new(self.name, self.of.data_type()?, self.nullable);
        Ok(field.with_metadata(self.metadata.into_iter().collect()))
    }
}

/// # Errors
/// A type that Arrow does not read as it writes it.
pub fn serialize<S: Serializer>(data_type: &DataType, serializer: S) -> Result<S::Ok, S::Error> {
    let of = Type::of(data_type).ok_or_else(|| S::Error::custom(format_args!("the type {data_type} has no text")))?;
    of.serialize(serializer)
}

/// # Errors
/// What is no type.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DataType, D::Error> {
    Type::deserialize(deserializer)?.data_type().map_err(D::Error::custom)
}

/// Types that may be absent.
pub mod optional {
    use super::{DataType, Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Wrapped(#[serde(with = "super")] DataType);

    /// # Errors
    /// A type that Arrow does not read as it writes it.
    pub fn serialize<S: Serializer>(data_type: &Option<DataType>, serializer: S) -> Result<S::Ok, S::Error> {
        data_type.clone().map(Wrapped).serialize(serializer)
    }

    /// # Errors
    /// What is no type.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DataType>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}

/// Schemas without metadata of their own.
pub mod schema {
    use std::sync::Arc;

    use arrow::datatypes::{Schema, SchemaRef};

    use super::{Column, Deserialize, Deserializer, Serialize, Serializer};

    /// # Errors
    /// A type that Arrow does not read as it writes it.
    pub fn serialize<S: Serializer>(schema: &SchemaRef, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        let columns: Option<Vec<_>> = schema.fields().iter().map(Column::of).collect();
        let columns = columns.ok_or_else(|| S::Error::custom(format_args!("a type of {schema} has no text")))?;
        columns.serialize(serializer)
    }

    /// # Errors
    /// What is no schema.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SchemaRef, D::Error> {
        use serde::de::Error;
        let columns = Vec::<Column>::deserialize(deserializer)?;
        let fields: Result<Vec<_>, _> = columns.into_iter().map(Column::field).collect();
        Ok(Arc::new(Schema::new(fields.map_err(D::Error::custom)?)))
    }
}
