//! Buffers of a fixed capacity: the core has no allocator.
//!
//! Messages are written into a slice of the caller through a [`Writer`]; what a machine keeps between two messages lies in [`Bytes`].

use core::fmt;

use zeroize::Zeroize;

/// The buffer is too small for what was to be written. Nothing of the last piece was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the buffer is too small for the message")
    }
}

impl core::error::Error for Full {}

/// Writes into a slice of the caller, piece by piece, and never beyond its end.
pub struct Writer<'a> {
    space: &'a mut [u8],
    used: usize,
}

impl fmt::Debug for Writer<'_> {
    // Without the content: what is written may be a key before it is encrypted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("used", &self.used).field("capacity", &self.space.len()).finish()
    }
}

impl<'a> Writer<'a> {
    /// Starts at the beginning of `space`.
    pub fn new(space: &'a mut [u8]) -> Self {
        Self { space, used: 0 }
    }

    /// Writes all of `piece`.
    ///
    /// # Errors
    /// [`Full`] when it does not fit; nothing of it is then written.
    pub fn put(&mut self, piece: &[u8]) -> Result<(), Full> {
        let end = self.used.checked_add(piece.len()).ok_or(Full)?;
        self.space.get_mut(self.used..end).ok_or(Full)?.copy_from_slice(piece);
        self.used = end;
        Ok(())
    }

    /// Writes one byte.
    ///
    /// # Errors
    /// [`Full`] when there is no room.
    pub fn byte(&mut self, byte: u8) -> Result<(), Full> {
        self.put(&[byte])
    }

    /// How many bytes are written.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether nothing is written yet.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Takes back what was written beyond the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.used = self.used.min(length);
    }

    /// How many bytes still fit.
    pub fn remaining(&self) -> usize {
        self.space.len() - self.used
    }

    /// What is written.
    pub fn as_slice(&self) -> &[u8] {
        &self.space[..self.used]
    }

    /// What is written, to be changed in place (encrypted, or a length filled in).
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.space[..self.used]
    }

    /// Gives the written part back, for as long as the slice lives.
    pub fn finish(self) -> &'a mut [u8] {
        &mut self.space[..self.used]
    }
}

/// At most `N` bytes, held by value.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes<const N: usize> {
    space: [u8; N],
    used: usize,
}

impl<const N: usize> Bytes<N> {
    /// No bytes.
    pub const fn new() -> Self {
        Self { space: [0; N], used: 0 }
    }

    /// A copy of `content`.
    ///
    /// # Errors
    /// [`Full`] when it is longer than `N`.
    pub fn from_slice(content: &[u8]) -> Result<Self, Full> {
        let mut bytes = Self::new();
        bytes.put(content)?;
        Ok(bytes)
    }

    /// Appends `piece`.
    ///
    /// # Errors
    /// [`Full`] when it does not fit; nothing of it is then appended.
    pub fn put(&mut self, piece: &[u8]) -> Result<(), Full> {
        let end = self.used.checked_add(piece.len()).ok_or(Full)?;
        self.space.get_mut(self.used..end).ok_or(Full)?.copy_from_slice(piece);
        self.used = end;
        Ok(())
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.space[..self.used]
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.used
    }

    /// The bytes, to be changed in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.space[..self.used]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Keeps the first `length` bytes, all when there are fewer.
    pub fn truncate(&mut self, length: usize) {
        self.used = self.used.min(length);
    }

    /// Overwrites the content with zeros and holds nothing.
    pub fn clear(&mut self) {
        self.space.zeroize();
        self.used = 0;
    }

    /// Lets `write` fill the whole space anew.
    ///
    /// # Errors
    /// What `write` reports; nothing is then held.
    pub fn fill<E>(&mut self, write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>) -> Result<&[u8], E> {
        self.clear();
        let mut writer = Writer::new(&mut self.space);
        write(&mut writer)?;
        self.used = writer.len();
        Ok(self.as_slice())
    }
}

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> core::ops::Deref for Bytes<N> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} of {N})", self.used)
    }
}

impl<const N: usize> Zeroize for Bytes<N> {
    fn zeroize(&mut self) {
        self.clear();
    }
}

/// Two bytes, most significant first.
pub(crate) fn be16(bytes: [u8; 2]) -> usize {
    usize::from(u16::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_takes_all_of_a_piece_or_nothing() {
        let mut space = [0; 3];
        let mut writer = Writer::new(&mut space);
        writer.put(&[1, 2]).unwrap();
        assert_eq!(writer.put(&[3, 4]), Err(Full));
        assert_eq!(writer.as_slice(), [1, 2]);
        writer.byte(3).unwrap();
        assert_eq!(writer.finish(), [1, 2, 3]);
    }

    #[test]
    fn cleared_bytes_are_overwritten() {
        let mut bytes = Bytes::<4>::from_slice(&[7, 7, 7]).unwrap();
        assert_eq!(bytes.put(&[1, 2]), Err(Full));
        bytes.clear();
        assert_eq!(bytes.space, [0; 4]);
        assert!(bytes.is_empty());
    }
}
