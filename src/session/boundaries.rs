//! What must not compile: a call that the consumer may not make, and a value that must not be made or shown.
//!
//! Each pair is the same code twice, with who may and with who may not, so that nothing but the boundary can be what the
//! second one fails for.

/// Only a visitor registers an account.
///
/// ```no_run
/// use synerise_auth::account::NewAccount;
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>, account: NewAccount) {
///     let _ = session.register(account).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::NewAccount;
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>, account: NewAccount) {
///     let _ = session.register(account).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::NewAccount;
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>, account: NewAccount) {
///     let _ = session.register(account).await;
/// }
/// ```
enum Registering {}

/// Only who acts for a workspace changes its settings: not a visitor, not a user who has selected none.
///
/// ```no_run
/// use synerise_auth::kind::WorkspaceUser;
/// use synerise_auth::Session;
/// async fn call(session: Session<WorkspaceUser>) {
///     let _ = session.profile_settings().update(|_| {}).await;
///     let _ = session.ip_policy().update(|_| {}).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>) {
///     let _ = session.profile_settings().update(|_| {}).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(session: Session<User>) {
///     let _ = session.profile_settings().update(|_| {}).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(session: Session<User>) {
///     let _ = session.ip_policy().update(|_| {}).await;
/// }
/// ```
enum Settings {}

/// Only a user of the portal lists workspaces.
///
/// ```no_run
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(session: Session<User>) {
///     let _ = session.workspaces().await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>) {
///     let _ = session.workspaces().await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>) {
///     let _ = session.workspaces().await;
/// }
/// ```
enum Workspaces {}

/// A user who owes a second factor has no session yet.
///
/// ```no_run
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(user: Session<User>) {
///     let _ = user.workspaces().await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::session::MfaChallenge;
/// async fn call(user: MfaChallenge) {
///     let _ = user.workspaces().await;
/// }
/// ```
enum SecondFactor {}

/// An identity of Synerise's own has a password.
///
/// ```no_run
/// use synerise_auth::{Identity, LoginId};
/// let _ = Identity::synerise(LoginId::email("a@b.example"), "not-a-real-password", "u-1");
/// ```
///
/// ```compile_fail,E0061
/// use synerise_auth::{Identity, LoginId};
/// let _ = Identity::synerise(LoginId::email("a@b.example"), "u-1");
/// ```
enum Passwords {}

/// A secret is printed as a placeholder only, and serialized by nothing.
///
/// ```
/// use synerise_auth::Secret;
/// let _ = format!("{:?}", Secret::new("fake"));
/// ```
///
/// ```compile_fail,E0277
/// use synerise_auth::Secret;
/// let _ = format!("{}", Secret::new("fake"));
/// ```
///
/// ```compile_fail,E0277
/// use synerise_auth::Secret;
/// let _ = synerise_auth::serde_json::to_string(&Secret::new("fake"));
/// ```
enum Secrets {}
