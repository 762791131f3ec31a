//! `bitmap_construct_agg`, `bitmap_or_agg`, `bitmap_and_agg`: bitmaps of 4,096 bytes.

use std::mem::size_of_val;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::Gather;
use crate::error::{ErrorClass, SparkError};

const BYTES: usize = 4096;

/// How bits come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) enum Bitmap {
    /// Numbers of bits.
    Construct,
    /// The bits of any bitmap.
    Or,
    /// The bits of all bitmaps.
    And,
}

impl Gather for Bitmap {
    fn name(&self) -> &'static str {
        match self {
            Self::Construct => "bitmap_construct_agg",
            Self::Or => "bitmap_or_agg",
            Self::And => "bitmap_and_agg",
        }
    }

    fn result(&self, _: &[DataType]) -> DataType {
        DataType::Binary
    }

    fn state(&self, _: &[DataType]) -> Vec<DataType> {
        vec![DataType::Binary]
    }

    fn start(&self, _: &[DataType]) -> Box<dyn Accumulator> {
        let empty = if *self == Self::And { u8::MAX } else { 0 };
        Box::new(Bits { bitmap: *self, bits: vec![empty; BYTES] })
    }
}

#[derive(Debug)]
struct Bits {
    bitmap: Bitmap,
    bits: Vec<u8>,
}

impl Bits {
    fn combine(&mut self, bitmaps: &ArrayRef) {
        for bytes in bitmaps.as_binary::<i32>().iter().flatten() {
            let bytes = bytes.iter().copied().chain(std::iter::repeat(0));
            for (bits, byte) in self.bits.iter_mut().zip(bytes) {
                *bits = if self.bitmap == Bitmap::And { *bits & byte } else { *bits | byte };
            }
        }
    }
}

impl Accumulator for Bits {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        if self.bitmap != Bitmap::Construct {
            self.combine(&values[0]);
            return Ok(());
        }
        for position in values[0].as_primitive::<Int64Type>().iter().flatten() {
            let place = usize::try_from(position).ok().filter(|position| *position < 8 * BYTES);
            let place = place.ok_or_else(|| outside(position))?;
            self.bits[place / 8] |= 1 << (place % 8);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        self.combine(&states[0]);
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.bits.clone())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bits.len()
    }
}

fn outside(position: i64) -> SparkError {
    let message = format!("The 0-indexed bitmap position {position} is out of bounds. The bitmap has 32768 bits.");
    SparkError::new(ErrorClass::ArrayIndex, "INVALID_BITMAP_POSITION", "22003", message)
        .with("bitPosition", position.to_string())
        .with("bitmapNumBytes", BYTES.to_string())
        .with("bitmapNumBits", (8 * BYTES).to_string())
}
