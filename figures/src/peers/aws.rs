//! The lazy identity cache of aws-smithy-runtime, in front of a resolver that logs in at the login server.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::identity::{
    Identity, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
    SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use http::HeaderValue;

use crate::Result;
use crate::cache::Cache;
use crate::login_server::LoginServer;
use crate::peers::rw_lock::log_in;

/// The cache, with its header made when the login is, so that a read has it ready.
pub struct Aws {
    cache: SharedIdentityCache,
    resolver: SharedIdentityResolver,
    components: RuntimeComponents,
    config: ConfigBag,
    clock: MovedClock,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").finish_non_exhaustive()
    }
}

/// The machine's clock, which can be moved on.
#[derive(Debug, Clone, Default)]
struct MovedClock(Arc<AtomicU64>);

impl TimeSource for MovedClock {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Debug)]
struct Login {
    http: reqwest::Client,
    url: String,
}

impl ResolveIdentity for Login {
    fn resolve_identity<'a>(&'a self, _: &'a RuntimeComponents, _: &'a ConfigBag) -> IdentityFuture<'a> {
        IdentityFuture::new(async {
            let (token, lifetime) = log_in(&self.http, &self.url).await?;
            let header = HeaderValue::try_from(format!("Bearer {token}"))?;
            Ok(Identity::new(header, Some(SystemTime::now() + lifetime)))
        })
    }
}

impl Aws {
    /// Moves its clock on.
    pub fn advance(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Cache for Aws {
    const NAME: &'static str = "AWS lazy cache";
    const LOGIN: &'static str = "/aws/token";
    type Ready = Identity;

    fn cold(server: &LoginServer) -> Result<Self> {
        let clock = MovedClock::default();
        let components = RuntimeComponentsBuilder::for_tests()
            .with_sleep_impl(Some(SharedAsyncSleep::new(TokioSleep::new())))
            .with_time_source(Some(SharedTimeSource::new(clock.clone())))
            .build()?;
        Ok(Self {
            cache: IdentityCache::lazy().build(),
            resolver: SharedIdentityResolver::new(Login {
                http: reqwest::Client::new(),
                url: format!("{}{}", server.base_url(), Self::LOGIN),
            }),
            components,
            config: ConfigBag::base(),
            clock,
        })
    }

    async fn read(&self) -> Result<Identity> {
        self.cache
            .resolve_cached_identity(self.resolver.clone(), &self.components, &self.config)
            .await
    }

    fn header(ready: &Identity) -> Option<&HeaderValue> {
        ready.data::<HeaderValue>()
    }
}
