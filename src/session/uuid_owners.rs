//! Notices that two accounts log in with the UUID of one visitor.

use std::fmt;

use serde_json::Value;

use crate::api_key::ApiKey;
use crate::fingerprint::{Fingerprint, fingerprint};
use crate::model::{LoginId, ProfileUuid};
use crate::observability::{SessionLabel, shared_uuid};
use crate::sync::{Mutex, lock};

use super::Session;
use super::kind::Profile;

/// How many UUIDs are remembered. A UUID that falls on the place of another one takes it: a warning may be missed, and the
/// memory stays small however many customers log in.
const REMEMBERED: usize = 1024;

/// Which account has logged in with which UUID, for the latest ones.
#[derive(Default)]
pub(crate) struct UuidOwners(Mutex<Vec<Option<Box<Owner>>>>);

/// An account, as far as a login says which one it is. It can't be read from it.
#[derive(Clone, Copy)]
struct Owner {
    uuid: Fingerprint,
    profile_id: Option<i64>,
    email: Option<Fingerprint>,
    custom_id: Option<Fingerprint>,
}

impl UuidOwners {
    /// Remembers who has logged in. Returns whether it was somebody else before.
    fn logged_in(&self, new: Owner) -> bool {
        let index = usize::from(u16::from_le_bytes([new.uuid[0], new.uuid[1]])) % REMEMBERED;
        let mut owners = lock(&self.0);
        if owners.is_empty() {
            owners.resize_with(REMEMBERED, || None);
        }
        let place = &mut owners[index];
        match place {
            Some(known) if known.uuid == new.uuid => {
                let differs = known.is_another(&new);
                **known = if differs { new } else { known.with(&new) };
                differs
            }
            _ => {
                *place = Some(Box::new(new));
                false
            }
        }
    }
}

impl Session<Profile> {
    /// Remembers who has logged in with this UUID, and warns if it was somebody else before. Another provider's login has
    /// no identifiers.
    pub(super) fn remember_owner(&self, uuid: Option<&ProfileUuid>, ids: &[&LoginId]) {
        let Some(uuid) = uuid else { return };
        let key = self.lifecycle().identity().key;
        let token = self.lifecycle().peek();
        let profile_id = token.and_then(|token| token.profile_id());
        let owner = Owner::new(key.as_ref(), uuid, ids, profile_id);
        if self.context.uuid_owners.logged_in(owner) {
            shared_uuid(&SessionLabel::new("profile", key.as_ref()));
        }
    }
}

impl Owner {
    fn new(key: Option<&ApiKey>, uuid: &ProfileUuid, ids: &[&LoginId], profile_id: Option<i64>) -> Self {
        let key = key.map(|key| key.secret().expose());
        let ids = || ids.iter().copied();
        let email = ids().find_map(|id| match id {
            LoginId::Email(email) => Some(fingerprint(["email", &email.trim().to_lowercase()])),
            LoginId::CustomId(_) => None,
        });
        let custom_id = ids().find_map(|id| match id {
            LoginId::CustomId(Value::String(id)) => Some(fingerprint(["custom id", id])),
            LoginId::CustomId(id) => Some(fingerprint(["custom id", &id.to_string()])),
            LoginId::Email(_) => None,
        });
        Self {
            uuid: fingerprint([key.unwrap_or_default(), uuid.as_str()]),
            profile_id,
            email,
            custom_id,
        }
    }

    fn is_another(&self, new: &Self) -> bool {
        fn differ<T: PartialEq>(known: Option<T>, new: Option<T>) -> Option<bool> {
            known.zip(new).map(|(known, new)| known != new)
        }
        // The number decides, because an account may get another e-mail address.
        differ(self.profile_id, new.profile_id).unwrap_or_else(|| {
            let differs = [
                differ(self.email, new.email),
                differ(self.custom_id, new.custom_id),
            ];
            differs.contains(&Some(true))
        })
    }

    /// The same account, with what is known of it now.
    fn with(&self, new: &Self) -> Self {
        Self {
            uuid: self.uuid,
            profile_id: new.profile_id.or(self.profile_id),
            email: new.email.or(self.email),
            custom_id: new.custom_id.or(self.custom_id),
        }
    }
}

impl fmt::Debug for UuidOwners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UuidOwners")
    }
}
