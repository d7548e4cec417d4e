//! Bytes that are wiped from memory when the last owner drops them.

use std::io;

use bytes::Bytes;
use zeroize::{Zeroize, Zeroizing};

/// A buffer that leaves no copy behind, neither when it grows nor when it is dropped.
#[derive(Default)]
pub(crate) struct WipedBuffer(Zeroizing<Vec<u8>>);

impl WipedBuffer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.extend_within(bytes, usize::MAX);
    }

    /// Reserves no more than `limit`, unless more than that is needed.
    pub(crate) fn extend_within(&mut self, bytes: &[u8], limit: usize) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            // `Vec` would move the content without wiping the old allocation.
            let mut larger = Vec::with_capacity(needed.max((2 * self.0.capacity()).min(limit)));
            larger.extend_from_slice(&self.0);
            let mut old = std::mem::replace(&mut *self.0, larger);
            old.zeroize();
        }
        self.0.extend_from_slice(bytes);
    }

    /// The content, without room for more. All clones share it, and the last one wipes it.
    pub(crate) fn freeze(self) -> Bytes {
        let is_full = self.0.capacity() - self.0.len() <= self.0.len() / 8;
        // Shrinking in place could move the content without wiping the old allocation.
        Bytes::from_owner(if is_full {
            self.0
        } else {
            Zeroizing::new(self.0.to_vec())
        })
    }
}

impl io::Write for WipedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_survives_growth() {
        let mut buffer = WipedBuffer::with_capacity(3);
        for part in ["fake", "-", "secret-that-is-longer"] {
            buffer.extend(part.as_bytes());
        }
        assert_eq!(buffer.len(), 26);
        assert_eq!(&buffer.freeze()[..], b"fake-secret-that-is-longer");
    }
}
