//! The names of keys.

use synerise_auth::store::{StoreError, StoreKey};

/// What Redis knows a session by. Both keys have the session in braces, so that a cluster keeps them in one slot.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) record: String,
    pub(crate) lease: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Prefix(String);

const LONGEST: usize = 128;

impl Prefix {
    /// # Errors
    /// Braces would move the session's keys to different slots of a cluster. The others are what patterns and rights of
    /// users are written with.
    pub(crate) fn new(prefix: String) -> Result<Self, StoreError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
        if prefix.is_empty() || prefix.len() > LONGEST || !prefix.chars().all(allowed) {
            return Err(StoreError::new(
                "the prefix of the keys has to be 1 to 128 ASCII letters, digits, '-', '_', '.', ':' or '/'",
            ));
        }
        Ok(Self(prefix))
    }

    pub(crate) fn names(&self, key: &StoreKey) -> Names {
        let name = |what| format!("{}:{{{}}}:{what}", self.0, key.as_str());
        Names {
            record: name("token"),
            lease: name("lease"),
        }
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("synerise-auth".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_can_hold_no_braces_and_no_patterns() {
        for refused in ["", "a{b}", "a*", "a b", "ä", "a\n", &"a".repeat(129)] {
            assert!(Prefix::new(refused.to_owned()).is_err(), "{refused:?}");
        }
        assert!(Prefix::new("shop:prod-1/eu.x_y".to_owned()).is_ok());
    }
}
