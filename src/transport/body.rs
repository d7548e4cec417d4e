//! Reads the body of a response, within a limit.

use bytes::Bytes;
use reqwest::Response;

use super::wiped::WipedBuffer;

/// How much memory is reserved for a body by its announced length. The limit may be as large as the user likes.
const MOST_RESERVED: usize = 1024 * 1024;

/// The reason why a body can't be read completely.
pub(super) enum BodyError {
    TooLarge,
    Broken(reqwest::Error),
}

/// The part of a body that has been read so far.
pub(super) enum Body {
    /// Nothing, or a single piece, which needs no copy.
    One(Bytes),
    Many(Vec<u8>),
    /// A body with a secret in it.
    Wiped(WipedBuffer),
}

impl Body {
    pub(super) fn new(wiped: bool) -> Self {
        if wiped {
            Self::Wiped(WipedBuffer::default())
        } else {
            Self::One(Bytes::new())
        }
    }

    /// Reads the rest of a response's body. Data from before a failure is kept.
    pub(super) async fn read(&mut self, response: &mut Response, limit: usize) -> Result<(), BodyError> {
        let announced = response
            .content_length()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or_default();
        if announced > limit {
            return Err(BodyError::TooLarge);
        }
        if let Self::Wiped(buffer) = self {
            *buffer = WipedBuffer::with_capacity(announced.min(MOST_RESERVED));
        }
        while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
            if chunk.len() > limit - self.len() {
                return Err(BodyError::TooLarge);
            }
            self.push(chunk, announced, limit);
        }
        Ok(())
    }

    /// A buffer that grows takes no more than the limit, so that it and its predecessor take no more than twice as much.
    fn push(&mut self, chunk: Bytes, announced: usize, limit: usize) {
        match self {
            Self::One(only) if only.is_empty() => *only = chunk,
            Self::One(first) => {
                let mut all = Vec::with_capacity(announced.min(MOST_RESERVED).max(first.len() + chunk.len()));
                all.extend_from_slice(first);
                all.extend_from_slice(&chunk);
                *self = Self::Many(all);
            }
            Self::Many(all) => {
                let needed = all.len() + chunk.len();
                if needed > all.capacity() {
                    let capacity = needed.max((2 * all.capacity()).min(limit));
                    all.reserve_exact(capacity - all.len());
                }
                all.extend_from_slice(&chunk);
            }
            Self::Wiped(buffer) => buffer.extend_within(&chunk, limit),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::One(only) => only.len(),
            Self::Many(all) => all.len(),
            Self::Wiped(buffer) => buffer.len(),
        }
    }

    pub(super) fn freeze(self) -> Bytes {
        match self {
            Self::One(only) => only,
            Self::Many(mut all) => {
                // Whoever parses it may take as much memory as the limit allows beside its length, not beside its room.
                all.shrink_to_fit();
                all.into()
            }
            Self::Wiped(buffer) => buffer.freeze(),
        }
    }
}
