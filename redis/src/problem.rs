//! What a failure of Redis means, in words of our own: a server's text may quote what it was sent.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What becomes of the connection after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is closed, and the next command opens another.
    Replace,
    /// One more in a row, and it is closed.
    Suspect,
    /// The server answered: the connection works.
    Keep,
}

pub(crate) fn verdict(error: &RedisError) -> Verdict {
    if error.is_timeout() {
        Verdict::Suspect
    } else if error.is_unrecoverable_error() || error.is_io_error() || is_read_only(error) {
        Verdict::Replace
    } else {
        Verdict::Keep
    }
}

/// A master that has become a replica. Redis 6 wraps what fails inside of a script in a text of its own.
fn is_read_only(error: &RedisError) -> bool {
    says(error, "READONLY")
}

fn says(error: &RedisError, code: &str) -> bool {
    error.code() == Some(code) || error.detail().is_some_and(|detail| detail.contains(code))
}

pub(crate) fn is_missing_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// What servers answer, and what it means.
const ANSWERS: [(&str, &str); 12] = [
    ("READONLY", "Redis is read-only: it is a replica, or became one"),
    ("OOM", "Redis is out of memory and evicts nothing"),
    (
        "NOPERM",
        "Redis refuses a command to this user; see the rights that the crate's page lists",
    ),
    ("NOAUTH", "Redis asks for a password; put it into the URL"),
    (
        "WRONGPASS",
        "Redis refuses the user or the password; check both in the URL",
    ),
    ("LOADING", "Redis is still reading its data"),
    ("MISCONF", "Redis can't save its data to disk, and refuses writes"),
    ("NOREPLICAS", "Redis has too few replicas, and refuses writes"),
    ("MASTERDOWN", "the replica has lost its master"),
    ("CLUSTERDOWN", "the cluster is down"),
    (
        "max number of clients",
        "Redis has as many connections as it allows (maxclients)",
    ),
    (
        "unknown command",
        "Redis does not know a command; a proxy in front of it may forbid scripts",
    ),
];

/// What goes wrong before a server can answer. The client library has no kinds for these.
const OPENING: [(&str, &str); 4] = [
    (
        "certificate",
        "the certificate of Redis is not trusted, has expired, or is for another host",
    ),
    (
        "corrupt message",
        "Redis does not speak TLS at this port; use redis://",
    ),
    (
        "failed to lookup address",
        "the host name of Redis can't be resolved",
    ),
    (
        "unreachable",
        "the host of Redis can't be reached over the network",
    ),
];

/// The failure in one sentence, with what to do where that is known.
pub(crate) fn in_words(error: &RedisError) -> String {
    if let Some((_, words)) = ANSWERS.iter().find(|(code, _)| says(error, code)) {
        return (*words).to_owned();
    }
    if error.is_connection_refusal() {
        return "nothing listens at the address of Redis".to_owned();
    }
    if error.is_timeout() {
        return ANSWERS_NOTHING.to_owned();
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => {
            "Redis refuses the user or the password; check both in the URL".to_owned()
        }
        ErrorKind::MasterNameNotFoundBySentinel => "no Sentinel knows a master of this name".to_owned(),
        ErrorKind::InvalidClientConfig => "the settings of the connection to Redis are wrong".to_owned(),
        ErrorKind::ClusterConnectionNotFound => "no node of the cluster can be reached".to_owned(),
        ErrorKind::Io => {
            let text = error.to_string();
            let known = OPENING.iter().find(|(part, _)| text.contains(part));
            known.map_or(BROKEN, |(_, words)| words).to_owned()
        }
        ErrorKind::Parse => {
            "the answer is not one of Redis; if this is a port for TLS, use rediss://".to_owned()
        }
        _ => match error.code().filter(|code| is_code(code)) {
            Some(code) => format!("Redis answered {code}"),
            None => UNKNOWN_ANSWER.to_owned(),
        },
    }
}

/// Redis also closes a connection before it can be told why.
const BROKEN: &str =
    "the connection to Redis broke; if it always does, check maxclients, and whether this port is for TLS";
pub(crate) const ANSWERS_NOTHING: &str = "Redis did not answer in time";
pub(crate) const UNKNOWN_ANSWER: &str = "Redis answered something that this version does not know";

/// A code is a word in capitals; anything else may be quoted input.
fn is_code(code: &str) -> bool {
    code.len() <= 20 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> RedisError {
        let wire = format!("-{text}\r\n");
        redis::parse_redis_value(wire.as_bytes())
            .and_then(redis::Value::extract_error)
            .unwrap_err()
    }

    #[test]
    fn demoted_master_is_recognized_as_each_version_says_it() {
        for text in [
            "READONLY You can't write against a read only replica.",
            "ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
            "READONLY You can't write against a read only replica. script: 1, on @user_script:1.",
        ] {
            let error = answer(text);
            assert_eq!(verdict(&error), Verdict::Replace, "{text}");
            assert!(in_words(&error).contains("read-only"), "{text}");
        }
    }

    #[test]
    fn text_of_a_server_is_not_repeated() {
        for text in [
            "ERR unknown command `AUTH`, with args beginning with: `canary`",
            "canary something",
            "CANARYCANARYCANARYCANARY x",
            "WRONGPASS canary",
        ] {
            let words = in_words(&answer(text));
            assert!(!words.to_lowercase().contains("canary"), "{words}");
        }
    }

    #[test]
    fn answer_about_a_command_keeps_the_connection() {
        for text in [
            "OOM command not allowed",
            "NOPERM no",
            "NOSCRIPT no",
            "LOADING wait",
        ] {
            assert_eq!(verdict(&answer(text)), Verdict::Keep, "{text}");
        }
    }
}
