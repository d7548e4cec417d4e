use proptest::prelude::*;

use super::*;

fn knowing(secret: &str) -> Redactor {
    let mut redactor = Redactor::default();
    redactor.add(secret);
    redactor
}

fn json_request(body: &Value) -> reqwest::Request {
    let request = reqwest::Client::new().post("http://127.0.0.1/").json(body);
    request.build().unwrap()
}

#[test]
fn what_a_request_carried_is_taken_out_of_the_response() {
    let mut marked = http::HeaderValue::from_static("fake-header");
    marked.set_sensitive(true);
    let request = reqwest::Client::new()
        .post("http://127.0.0.1/?q=1&token=fake-tracker&client_secret=fake-query")
        .header("x-own", marked)
        .header("x-api-key", "fake-own-key")
        .header("cookie", "a=fake-cookie; b=2")
        .header("proxy-authorization", "Basic dXNlcjpmYWtlLXByb3h5")
        .bearer_auth("fake-bearer")
        .json(&serde_json::json!({
            "password": "hunter22",
            "deep": [{ "apiKey": "fake-key" }],
            "pin": 471_108,
            "secrets": ["fake-first", { "any": "fake-second" }],
            "json": "{\"access_token\":\"fake-nested\"}",
            "phone": "600 100 200",
            "username": "operator",
            "city": "Wroclaw",
        }))
        .build()
        .unwrap();
    let redactor = Redactor::for_request(&request);
    for secret in [
        "fake-tracker",
        "fake-query",
        "fake-header",
        "fake-own-key",
        "fake-cookie",
        "fake-bearer",
        "hunter22",
        "fake-key",
        "471108",
        "fake-first",
        "fake-second",
        "fake-nested",
        "fake-proxy",
        "600100200",
        "operator",
        "dXNlcjpmYWtlLXByb3h5",
    ] {
        assert_eq!(
            redactor.clean(&format!("no {secret}.")),
            format!("no {REDACTED}."),
            "{secret}"
        );
    }
    assert_eq!(
        redactor.clean("Wroclaw, cooperators and q=1"),
        "Wroclaw, cooperators and q=1"
    );
}

#[test]
fn a_form_is_read_as_json_is() {
    let request = reqwest::Client::new()
        .post("http://127.0.0.1/")
        .body("grant_type=password&client_secret=fake%2Fsecret&code=fake-code")
        .build()
        .unwrap();
    let clean = Redactor::for_request(&request).clean("password fake/secret fake-code");
    assert_eq!(clean, format!("password {REDACTED} {REDACTED}"));
}

#[test]
fn a_secret_is_known_however_a_server_escapes_it() {
    let redactor = knowing(r#"Pä/ss "w<rd\1%"#);
    for quoted in [
        r#"Pä/ss "w<rd\1%"#,
        r#"P\u00e4\/ss \"w<rd\\1%"#,
        r#"P\\u00E4\\/ss \\\"w<rd\\\\1%"#,
        "P%C3%A4%2Fss%20%22w%3Crd%5C1%25",
        "p%c3%a4%2fss+%22w%3crd%5c1%25",
        "P%25C3%25A4%252Fss%2520%2522w%253Crd%255C1%2525",
        "P&auml;/ss &quot;w&lt;rd\\1%",
        "P&#228;&#x2F;ss &#34;w&lt;rd\\1%",
        "P&amp;auml;/ss &amp;quot;w&amp;lt;rd\\1%",
        "PÄ/SS \"W<RD\\1%",
        "Pa\u{308}/ss \"w<rd\\1%",
        "PÃ¤/ss \"w<rd\\1%",
        "P%E4/ss \"w<rd\\1%",
        "P\u{200b}ä/s\u{202e}s \"w\u{ad}<rd\\1%",
        "Pä/ss\n\"w<rd\\1%",
        r#"P\303\244/ss "w<rd\1%"#,
        r#"P=C3=A4/ss "w<rd\1%"#,
        r#"P&#228/ss "w<rd\1%"#,
        // Through a system without letters outside of ASCII, or of another encoding.
        r#"P?/ss "w<rd\1%"#,
        "P\u{fffd}/ss \"w<rd\\1%",
        r#"P/ss "w<rd\1%"#,
        r#"P¤/ss "w<rd\1%"#,
        "Ｐä/ｓｓ \"ｗ<ｒｄ\\１%",
    ] {
        let clean = redactor.clean(&format!("no ({quoted}) here"));
        assert!(!clean.to_lowercase().contains("rd"), "{quoted}: {clean}");
        assert!(
            clean.starts_with(&format!("no ({REDACTED}")) && clean.ends_with(") here"),
            "{quoted}: {clean}"
        );
    }
}

#[test]
fn a_secret_is_known_in_base64_and_hexadecimal() {
    let secret = "fake-password-1";
    let redactor = knowing(secret);
    for around in ["", "u:", "us:", "use:", "{\"a\":\""] {
        for encoded in [
            STANDARD_NO_PAD.encode(format!("{around}{secret}")),
            STANDARD_NO_PAD.encode(format!("{around}{secret}\"}}")),
        ] {
            assert_eq!(
                redactor.clean(&format!("no <{encoded}=>")),
                format!("no <{REDACTED}>"),
                "{around}"
            );
        }
    }
    for list in [
        format!("{:?}", secret.as_bytes()),
        format!("{:?}", secret.as_bytes()).replace(',', ""),
    ] {
        assert_eq!(redactor.clean(&list), format!("[{REDACTED}]"));
    }
    let hexadecimal: Vec<String> = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(redactor.clean(&hexadecimal.concat()), REDACTED);
}

#[test]
fn short_secrets_are_whole_words() {
    assert_eq!(
        knowing("471").clean("471 4711 \"471\" %22471%22"),
        format!("{REDACTED} 4711 \"{REDACTED}\" %22{REDACTED}%22")
    );
    assert_eq!(knowing("#1!").clean("a#1!b #1! x"), format!("a#1!b {REDACTED} x"));
    assert_eq!(knowing("!?#$%").clean("a !?#$% b"), format!("a {REDACTED} b"));
    assert_eq!(knowing("").clean("a b"), "a b");
}

#[test]
fn the_beginning_of_a_long_secret_is_known() {
    let redactor = knowing("1c586ac4-cb47-4c45-a7cf-e0fb74e8e5f4");
    assert_eq!(
        redactor.clean("key 1c586ac4-cb47-4c45..."),
        format!("key {REDACTED}...")
    );
}

#[test]
fn what_looks_secret_or_personal_is_hidden_whoever_sent_it() {
    let token = format!("eyJ{}", "A".repeat(2 * LIMIT));
    for (text, clean) in [
        (token.clone(), REDACTED.to_owned()),
        (format!("said {token}"), format!("said {REDACTED}")),
        (
            format!("{{\"info\":\"{token}\"}}"),
            format!("{{\"info\":\"{REDACTED}\"}}"),
        ),
        ("Bearer abcdefghijklmnop".into(), format!("Bearer {REDACTED}")),
        ("Bearer token is missing".into(), "Bearer token is missing".into()),
        (
            "see https://docs.example/a or ask @support".into(),
            "see https://docs.example/a or ask @support".into(),
        ),
        ("user a.b+c@shop.example!".into(), format!("user {REDACTED}!")),
        (
            "a%40b.example and a\\u0040b.example".into(),
            format!("{REDACTED} and {REDACTED}"),
        ),
        (
            "call +48 600-100-200, at 2026-01-01T00:00:00+01:00".into(),
            format!("call {REDACTED}, at 2026-01-01T00:00:00+01:00"),
        ),
        (
            "token: expired, apiKey=\"a1b2c3d4\"".into(),
            format!("token: expired, apiKey=\"{REDACTED}\""),
        ),
        (
            r#"{"a":{"refresh_token":"opaque"}}"#.into(),
            format!(r#"{{"a":{{"refresh_token":"{REDACTED}"}}}}"#),
        ),
        (
            r#"{"a":"{\"pin\":4711}"}"#.into(),
            format!(r#"{{"a":"{{\"pin\":\"{REDACTED}\"}}"}}"#),
        ),
    ] {
        assert_eq!(Redactor::default().clean(&text), clean);
    }
}

#[test]
fn invisible_characters_are_not_printed() {
    let clean =
        Redactor::default().clean("a\u{202e}b\u{2066}c\u{200d}\u{feff}d\u{e0041}e\u{2028}f\u{85}g\u{7}h");
    assert_eq!(clean, "abcde f g h");
}

#[test]
fn a_long_text_is_cut_at_a_character() {
    let clean = Redactor::default().clean(&"ż".repeat(1000));
    assert!(
        clean.len() <= LIMIT + 3 && clean.ends_with('…'),
        "{}",
        clean.len()
    );
    // A secret at the place where it is cut is not shown in part.
    for before in LOOKED_AT - 40..LOOKED_AT + 4 {
        let secrets = "fake-long-secret-of-a-request ".repeat(before / 30);
        let clean = knowing("fake-long-secret-of-a-request").clean(&secrets);
        assert!(!clean.contains("fake"), "{clean}");
    }
}

#[test]
fn a_secret_that_begins_another_leaves_nothing_behind() {
    let redactor = Redactor::for_request(&json_request(
        &serde_json::json!({ "apiKey": "fake", "password": "fake\"pass\\word" }),
    ));
    assert_eq!(redactor.clean(r#"no fake"pass\word"#), format!("no {REDACTED}"));
    assert_eq!(
        redactor.clean(r#"{"seen":"fake\"pass\\word"}"#),
        format!(r#"{{"seen":"{REDACTED}"}}"#)
    );
}

/// The ways in which a server writes what it quotes.
fn escaped(text: &str, way: u8) -> String {
    let each = |escape: &dyn Fn(char) -> String| text.chars().map(escape).collect();
    let percent = |upper: bool, text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
                b if upper => format!("%{b:02X}"),
                b => format!("%{b:02x}"),
            })
            .collect()
    };
    match way {
        0 => {
            let json = Value::from(text).to_string();
            json[1..json.len() - 1].to_owned()
        }
        1 => {
            let units: Vec<_> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            units.concat()
        }
        2 => each(&|c| {
            if c == '/' {
                "\\/".into()
            } else {
                c.escape_default().to_string()
            }
        }),
        3 => percent(true, text),
        4 => percent(false, text),
        5 => form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        6 => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
        7 => each(&|c| format!("&#{};", u32::from(c))),
        8 => each(&|c| format!("&#x{:X};", u32::from(c))),
        9 => text.to_uppercase(),
        10 => each(&|c| format!("{c}\u{200b}")),
        11 => format!("{{\"value\":{}}}", Value::from(text)),
        _ => text.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_planted_secret_is_never_printed(
        middle in r#"[ -~äłż😀\\%&+"/]{0,12}"#,
        ways in prop::collection::vec(0_u8..12, 0..4),
        before in ".{0,20}",
        after in ".{0,20}",
    ) {
        // The two ends are letters that nothing else has: they are looked for in what is printed.
        let secret = format!("qzqv{middle}vqzq");
        let quoted = ways.iter().fold(secret.clone(), |text, way| escaped(&text, *way));
        let redactor = Redactor::for_request(&json_request(&serde_json::json!({ "client_secret": secret })));
        let text = format!("{before} {quoted} {after}");
        for text in [text.clone(), Value::from(text.clone()).to_string(), format!("{{\"x\":[{}]}}", Value::from(text))] {
            let clean = redactor.clean(&text);
            let lower = clean.to_lowercase();
            prop_assert!(!lower.contains("qzqv") && !lower.contains("vqzq"), "{:?}: {}", text, clean);
            prop_assert!(clean.len() <= LIMIT + REDACTED.len() + 3, "{}", clean.len());
            prop_assert!(!clean.chars().any(|c| c.is_control() || is_invisible(c)), "{:?}", clean);
        }
    }

    #[test]
    fn any_text_is_one_bounded_line(text in any::<String>()) {
        let clean = knowing("fake-secret").clean(&text);
        prop_assert!(clean.len() <= LIMIT + REDACTED.len() + 3);
        prop_assert!(!clean.chars().any(char::is_control));
    }
}
