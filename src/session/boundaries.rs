//! Code that must not compile: calls that the consumer may not make, and values that must not be created or shown.
//!
//! Each pair is the same code twice, for a consumer that may and for one that may not. So the second can only fail because
//! of the boundary.

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

/// Only a consumer that acts for a workspace changes its settings: not a visitor, and not a user who has selected none.
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

/// A user with an outstanding second factor has no session yet.
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

/// A workspace's session is not saved: its key is all that another process needs.
///
/// ```no_run
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>) {
///     let _ = session.export().await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>) {
///     let _ = session.export().await;
/// }
/// ```
enum Saving {}

/// A saved session is written out by a call that says so.
///
/// ```
/// use synerise_auth::session::SavedSession;
/// fn write(saved: SavedSession) -> String {
///     saved.to_secret().expose().to_owned()
/// }
/// ```
///
/// ```compile_fail,E0277
/// use synerise_auth::session::SavedSession;
/// fn write(saved: SavedSession) -> String {
///     synerise_auth::serde_json::to_string(&saved).unwrap()
/// }
/// ```
enum WritingOut {}

/// A login with Synerise's own identity needs a password.
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

/// A secret is printed only as a placeholder, and can't be serialized.
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

/// Only a customer who is logged in changes the e-mail address of the account.
///
/// ```no_run
/// use synerise_auth::account::EmailChange;
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>, change: EmailChange) {
///     let _ = session.request_email_change(change).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::EmailChange;
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>, change: EmailChange) {
///     let _ = session.request_email_change(change).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::EmailChange;
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>, change: EmailChange) {
///     let _ = session.request_email_change(change).await;
/// }
/// ```
enum EmailChanges {}

/// Only a customer who is logged in confirms a new e-mail address.
///
/// ```no_run
/// use synerise_auth::account::EmailConfirmation;
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>, token: EmailConfirmation) {
///     let _ = session.confirm_email_change(token).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::EmailConfirmation;
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>, token: EmailConfirmation) {
///     let _ = session.confirm_email_change(token).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::EmailConfirmation;
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>, token: EmailConfirmation) {
///     let _ = session.confirm_email_change(token).await;
/// }
/// ```
enum EmailConfirmations {}

/// Only a customer who is logged in changes the telephone number of the account.
///
/// ```no_run
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>) {
///     let _ = session.request_phone_change("+48000000000").await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>) {
///     let _ = session.request_phone_change("+48000000000").await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::WorkspaceUser;
/// use synerise_auth::Session;
/// async fn call(session: Session<WorkspaceUser>) {
///     let _ = session.request_phone_change("+48000000000").await;
/// }
/// ```
enum PhoneChanges {}

/// Only a customer who is logged in confirms a new telephone number.
///
/// ```no_run
/// use synerise_auth::account::PhoneConfirmation;
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>, code: PhoneConfirmation) {
///     let _ = session.confirm_phone_change(code).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::PhoneConfirmation;
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>, code: PhoneConfirmation) {
///     let _ = session.confirm_phone_change(code).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::PhoneConfirmation;
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(session: Session<User>, code: PhoneConfirmation) {
///     let _ = session.confirm_phone_change(code).await;
/// }
/// ```
enum PhoneConfirmations {}

/// Only a customer who is logged in changes the password.
///
/// ```no_run
/// use synerise_auth::account::PasswordChange;
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>, change: PasswordChange) {
///     let _ = session.change_password(change).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::PasswordChange;
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>, change: PasswordChange) {
///     let _ = session.change_password(change).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::PasswordChange;
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>, change: PasswordChange) {
///     let _ = session.change_password(change).await;
/// }
/// ```
enum PasswordChanges {}

/// Only a customer or a visitor asks for a password reset.
///
/// ```no_run
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>) {
///     let _ = session.request_password_reset("customer@shop.example").await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>) {
///     let _ = session.request_password_reset("customer@shop.example").await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(session: Session<User>) {
///     let _ = session.request_password_reset("customer@shop.example").await;
/// }
/// ```
enum PasswordResets {}

/// Only a customer or a visitor resets a password.
///
/// ```no_run
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>) {
///     let _ = session.reset_password("token", "password").await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>) {
///     let _ = session.reset_password("token", "password").await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(session: Session<User>) {
///     let _ = session.reset_password("token", "password").await;
/// }
/// ```
enum PasswordResetConfirmations {}

/// Only a customer or a visitor logs out.
///
/// ```no_run
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>) {
///     let _ = session.log_out().await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>) {
///     let _ = session.log_out().await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(session: Session<User>) {
///     let _ = session.log_out().await;
/// }
/// ```
enum LogOuts {}

/// Only a consumer that acts for a workspace logs a customer out.
///
/// ```no_run
/// use synerise_auth::kind::WorkspaceUser;
/// use synerise_auth::Session;
/// async fn call(session: Session<WorkspaceUser>) {
///     let _ = session.log_out_profile(17).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>) {
///     let _ = session.log_out_profile(17).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>) {
///     let _ = session.log_out_profile(17).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::kind::User;
/// use synerise_auth::Session;
/// async fn call(session: Session<User>) {
///     let _ = session.log_out_profile(17).await;
/// }
/// ```
enum ProfileLogOuts {}

/// Only a customer who is logged in deletes the account.
///
/// ```no_run
/// use synerise_auth::account::AccountDeletion;
/// use synerise_auth::kind::Profile;
/// use synerise_auth::Session;
/// async fn call(session: Session<Profile>, it: AccountDeletion) {
///     let _ = session.delete_account(it).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::AccountDeletion;
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::Session;
/// async fn call(session: Session<Anonymous>, it: AccountDeletion) {
///     let _ = session.delete_account(it).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::account::AccountDeletion;
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::Session;
/// async fn call(session: Session<Workspace>, it: AccountDeletion) {
///     let _ = session.delete_account(it).await;
/// }
/// ```
enum Deletions {}

/// Only a visitor is recognized by a simple login.
///
/// ```no_run
/// use synerise_auth::kind::Anonymous;
/// use synerise_auth::session::ProfileLogins;
/// use synerise_auth::{LoginId, Session};
/// async fn call(logins: ProfileLogins, session: Session<Anonymous>) {
///     let _ = logins.simple_login(&session, LoginId::email("a@b.example")).await;
/// }
/// ```
///
/// ```compile_fail,E0308
/// use synerise_auth::kind::Workspace;
/// use synerise_auth::session::ProfileLogins;
/// use synerise_auth::{LoginId, Session};
/// async fn call(logins: ProfileLogins, session: Session<Workspace>) {
///     let _ = logins.simple_login(&session, LoginId::email("a@b.example")).await;
/// }
/// ```
///
/// ```compile_fail,E0308
/// use synerise_auth::kind::Profile;
/// use synerise_auth::session::ProfileLogins;
/// use synerise_auth::{LoginId, Session};
/// async fn call(logins: ProfileLogins, session: Session<Profile>) {
///     let _ = logins.simple_login(&session, LoginId::email("a@b.example")).await;
/// }
/// ```
enum SimpleLogins {}

/// Without a token, there is nothing to return, to refresh, to discard, to keep or to save.
///
/// ```no_run
/// use synerise_auth::{TokenProvider, WorkspaceSession};
/// async fn call(session: WorkspaceSession) {
///     let _ = session.get("/v4/clients").await;
///     let _ = session.check_permissions(["A"]).await;
///     let _ = session.token().await;
///     let _ = session.token_valid_for(std::time::Duration::from_secs(1)).await;
///     let _ = session.cached_token();
///     let _ = session.warm_up(std::time::Duration::from_secs(1)).await;
///     let _ = session.status();
///     let _ = session.subscribe();
///     let _ = session.keep_alive();
///     let _ = session.refresh().await;
///     session.invalidate();
///     let _: &dyn TokenProvider = &session;
/// }
/// ```
///
/// ```no_run
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.get("/v4/clients").await;
///     let _ = session.check_permissions(["A"]).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.token().await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.token_valid_for(std::time::Duration::from_secs(1)).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.cached_token();
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.warm_up(std::time::Duration::from_secs(1)).await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.status();
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.subscribe();
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.keep_alive();
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.refresh().await;
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.invalidate();
/// }
/// ```
///
/// ```compile_fail,E0599
/// use synerise_auth::BasicWorkspaceSession;
/// async fn call(session: BasicWorkspaceSession) {
///     let _ = session.export().await;
/// }
/// ```
///
/// ```compile_fail,E0277
/// use synerise_auth::{BasicWorkspaceSession, TokenProvider};
/// async fn call(session: BasicWorkspaceSession) {
///     let _: &dyn TokenProvider = &session;
/// }
/// ```
enum WithoutToken {}
