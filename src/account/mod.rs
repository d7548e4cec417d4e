//! A customer's account in Synerise itself ("registration as a service"): registration, activation, password,
//! e-mail address, telephone number, log-out, deletion.
//!
//! Operations that Synerise does not document follow its own mobile apps. They are marked "observed".
//!
//! ```no_run
//! # async fn run(visitor: synerise_auth::Session<synerise_auth::kind::Anonymous>, from_the_email: String) -> synerise_auth::Result<()> {
//! // "I forgot my password":
//! visitor.request_password_reset("customer@shop.example").await?;
//! // … the customer follows the link in the e-mail …
//! visitor.reset_password(from_the_email, "not-a-real-Password-2").await?;
//! # Ok(()) }
//! ```

mod activation;
mod deletion;
mod email;
mod identifiers;
mod log_out;
mod password;
mod phone;
mod registration;

pub use activation::AccountDevice;
pub use deletion::AccountDeletion;
pub use email::{EmailChange, EmailConfirmation};
pub use log_out::{LogOutRequest, ProfileLogOutRequest};
pub use password::PasswordChange;
pub use phone::PhoneConfirmation;
pub use registration::NewAccount;
