//! Columns of common types, made of the arrays of C right away.
//!
//! The Arrow library takes in an array of any type by way of a description of it, with half a dozen allocations a column:
//! of a batch of some thousand rows that is a good part of the cost.

use std::ptr::NonNull;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, GenericByteArray, PrimitiveArray, downcast_primitive};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{BinaryType, ByteArrayType, DataType, FieldRef, Fields, Utf8Type};
use arrow_array::ffi::FFI_ArrowArray;

/// The columns of a struct array; none where it is not one of plain columns: numbers, times, texts and bytes without a
/// dictionary, aligned, and as many rows of each as there are.
///
/// # Safety
/// `array` is a struct array of `fields`.
pub(super) unsafe fn columns(array: &Arc<FFI_ArrowArray>, fields: &Fields) -> Option<Vec<ArrayRef>> {
    if array.null_count != 0 || array.offset != 0 || array.num_children() != fields.len() {
        return None;
    }
    let column = |(at, field): (usize, &FieldRef)| Plain::of(array, at)?.column(field.data_type());
    fields.iter().enumerate().map(column).collect()
}

/// A column that has rows, and no dictionary.
struct Plain<'a> {
    array: &'a FFI_ArrowArray,
    owner: &'a Arc<FFI_ArrowArray>,
    rows: usize,
    offset: usize,
    /// The rows up to the last, from the start of the buffers on.
    end: usize,
}

impl<'a> Plain<'a> {
    fn of(owner: &'a Arc<FFI_ArrowArray>, at: usize) -> Option<Self> {
        let array = owner.child(at);
        let (rows, offset) = (usize::try_from(array.length).ok()?, usize::try_from(array.offset).ok()?);
        let is_plain =
            rows > 0 && array.length == owner.length && array.dictionary.is_null() && !array.buffers.is_null();
        is_plain.then_some(Self { array, owner, rows, offset, end: rows.checked_add(offset)? })
    }

    fn column(&self, data_type: &DataType) -> Option<ArrayRef> {
        macro_rules! primitive {
            ($type:ty) => {
                self.primitive::<$type>(data_type)
            };
        }
        downcast_primitive! {
            data_type => (primitive),
            DataType::Utf8 => self.bytes::<Utf8Type>(),
            DataType::Binary => self.bytes::<BinaryType>(),
            _ => None,
        }
    }

    fn primitive<T: ArrowPrimitiveType>(&self, data_type: &DataType) -> Option<ArrayRef> {
        let values = ScalarBuffer::new(self.buffer::<T::Native>(1, 2, self.end)?, self.offset, self.rows);
        let array = PrimitiveArray::<T>::try_new(values, self.nulls()).ok()?;
        Some(Arc::new(array.with_data_type(data_type.clone())))
    }

    fn bytes<T: ByteArrayType<Offset = i32>>(&self) -> Option<ArrayRef> {
        let offsets = self.buffer::<i32>(1, 3, self.end.checked_add(1)?)?;
        let offsets = ScalarBuffer::<i32>::new(offsets, self.offset, self.rows + 1);
        let values = match usize::try_from(*offsets.last()?).ok()? {
            0 => Buffer::default(),
            length => self.buffer::<u8>(2, 3, length)?,
        };
        // SAFETY: the offsets are those of the values, and texts are UTF-8, as the C data interface has it.
        let array =
            unsafe { GenericByteArray::<T>::new_unchecked(OffsetBuffer::new_unchecked(offsets), values, self.nulls()) };
        Some(Arc::new(array))
    }

    /// A buffer of `length` values, of which the array has `count` buffers; none where it is not aligned.
    fn buffer<T>(&self, at: usize, count: usize, length: usize) -> Option<Buffer> {
        if self.array.num_buffers() != count {
            return None;
        }
        let start = NonNull::new(self.array.buffer(at).cast_mut())?;
        let bytes = length.checked_mul(size_of::<T>())?;
        // SAFETY: an array of this type and length has as many values there, and its owner keeps them.
        let buffer = || unsafe { Buffer::from_custom_allocation(start, bytes, Arc::clone(self.owner) as _) };
        start.cast::<T>().is_aligned().then(buffer)
    }

    fn nulls(&self) -> Option<NullBuffer> {
        let bits = NonNull::new(self.array.buffer(0).cast_mut()).filter(|_| self.array.null_count != 0)?;
        // SAFETY: the array has a bit for each row there, and its owner keeps them.
        let bits = unsafe { Buffer::from_custom_allocation(bits, self.end.div_ceil(8), Arc::clone(self.owner) as _) };
        Some(NullBuffer::new(BooleanBuffer::new(bits, self.offset, self.rows))).filter(|nulls| nulls.null_count() > 0)
    }
}
