//! Descriptions become doc comments, and doc comments are more than text: rustdoc runs their code blocks as tests,
//! renders their HTML into the pages, and resolves their brackets as links. A vendor's prose may do none of that.

use super::invisible::is_invisible;

/// Longer descriptions are cut.
const MAX_CHARACTERS: usize = 4_000;

/// The text without Markdown, HTML and invisible characters.
pub(crate) fn plain(text: &str) -> String {
    // Invisible characters first: between spaces they would hide an indented code block.
    let visible: String = text
        .chars()
        .filter(|c| c.is_whitespace() || !(c.is_control() || is_invisible(*c)))
        .collect();
    let without_tags = without_tags(&visible);
    let mut lines: Vec<String> = Vec::new();
    for line in without_tags.lines() {
        // No line begins with a space and none holds two in a row, so there is no indented code block.
        let words: Vec<&str> = line.split_whitespace().collect();
        let line = words.join(" ");
        if !(line.is_empty() && lines.last().is_none_or(String::is_empty)) {
            lines.push(line);
        }
    }
    let joined = lines.join("\n");
    let mut plain = String::with_capacity(joined.len());
    for character in joined.trim().chars() {
        match character {
            '\n' => plain.push('\n'),
            // Three in a row fence a code block.
            '`' | '~' if plain.ends_with(character) => {}
            '<' => plain.push('‹'),
            '>' => plain.push('›'),
            '[' => plain.push('('),
            ']' => plain.push(')'),
            other => plain.push(other),
        }
    }
    if plain.chars().count() > MAX_CHARACTERS {
        plain = plain.chars().take(MAX_CHARACTERS).collect::<String>() + "…";
    }
    plain
}

fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        plain.push_str(before);
        let opens = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        match tag.find('>') {
            Some(end) if opens => {
                let breaks = tag[1..end].trim_start_matches('/').to_ascii_lowercase();
                if ["br", "p", "li", "tr", "div"].iter().any(|name| {
                    breaks
                        .strip_prefix(name)
                        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
                }) {
                    plain.push('\n');
                }
                rest = &tag[end + 1..];
            }
            _ => {
                plain.push('‹');
                rest = &tag[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn no_code_block_survives() {
        assert_eq!(plain("Hi\n\n```rust\nevil()\n```"), "Hi\n\n`rust\nevil()\n`");
        assert_eq!(
            plain("Hi\n\n    evil();\n\n\tevil();"),
            "Hi\n\nevil();\n\nevil();"
        );
        assert_eq!(
            plain("Hi\n\n\u{200b} \u{200b} \u{0} \u{200b} evil()"),
            "Hi\n\nevil()"
        );
        assert_eq!(plain("-      evil()\n~~~~\nx"), "- evil()\n~\nx");
    }

    #[test]
    fn no_html_and_no_link_survives() {
        assert_eq!(plain("a<script>alert(1)</script><br/>b"), "aalert(1)\nb");
        assert_eq!(plain("<scr<b>ipt>x"), "ipt›x");
        assert_eq!(
            plain("[x](javascript:alert(1)) Vec<u8> a < b"),
            "(x)(javascript:alert(1)) Vec a ‹ b"
        );
    }

    #[test]
    fn no_invisible_character_survives() {
        assert_eq!(plain("a\u{202e}b\u{200b}c\u{0}d\u{2066}"), "abcd");
    }

    #[test]
    fn what_is_plain_stays() {
        let text = "Lists `Vec` items.\n\n**Bold**: a, b; c - d.";
        assert_eq!(plain(text), text);
        assert_eq!(plain(&plain("x < y <b>z</b> [q]")), plain("x < y <b>z</b> [q]"));
    }
}
