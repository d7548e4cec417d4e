//! The calls: what each sends, what comes of it, and what a server may do to it.

mod accounts;
mod basic;
mod contact;
mod endings;
mod exact_requests;
mod foreign_words;
mod kept_credentials;
mod operations;
mod passwords;
mod profiles;
mod reported_bugs;
mod requests;
mod saved_sessions;
mod settings;
mod simple_login;
mod successes;
mod tolerance;
mod unreadable;
mod users;
mod visitor_logins;
mod wire;
mod workspaces;
