//! The second wall behind what is stripped from a document: the generated code itself.
//!
//! Whatever a vendor found to write, the code may name only the crates that the client uses, and its comments may hold
//! nothing that rustdoc would run as a test or render as HTML.

use proc_macro2::{Spacing, TokenStream, TokenTree};

/// The crates that generated code may name; everything else would be code that the document brought in.
const CRATES: [&str; 10] = [
    "serde",
    "serde_json",
    "std",
    "reqwest",
    "progenitor_client",
    "chrono",
    "uuid",
    "bytes",
    "futures",
    "schemars",
];

/// Looks through generated code for what only a document could have brought in.
pub(super) fn check(code: TokenStream) -> Result<(), String> {
    foreign_code(code.clone())?;
    live_comment(code)
}

/// Absolute paths into crates that the client does not use.
fn foreign_code(code: TokenStream) -> Result<(), String> {
    // Whether the token before could be the left side of `::`, and whether a `::` without one was just read.
    let (mut continues, mut half, mut absolute) = (false, false, false);
    for token in code {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                if half {
                    absolute = !continues;
                    half = false;
                } else if punct.spacing() == Spacing::Joint {
                    half = true;
                } else {
                    continues = false;
                }
                continue;
            }
            TokenTree::Ident(ident) => {
                if absolute && !CRATES.contains(&ident.to_string().as_str()) {
                    return Err(format!("the document brings in code: `::{ident}`"));
                }
                continues = true;
            }
            TokenTree::Group(group) => {
                foreign_code(group.stream())?;
                continues = true;
            }
            // `Vec<T>::new`: what stands before the colons ends in `>`.
            TokenTree::Punct(punct) => continues = punct.as_char() == '>',
            TokenTree::Literal(_) => continues = true,
        }
        (half, absolute) = (false, false);
    }
    Ok(())
}

/// Comments with a code block, which `cargo test` would run, or with HTML.
fn live_comment(code: TokenStream) -> Result<(), String> {
    let mut doc = false;
    for token in code {
        match token {
            TokenTree::Ident(ident) => doc = ident == "doc",
            TokenTree::Punct(punct) => doc = doc && punct.as_char() == '=',
            TokenTree::Literal(literal) if doc => {
                let text = syn::parse_str::<syn::LitStr>(&literal.to_string()).map(|text| text.value());
                if let Some(line) = text.unwrap_or_default().lines().find(|line| is_live(line)) {
                    return Err(format!(
                        "the document brings a comment that is more than text: `{}`",
                        line.escape_debug()
                    ));
                }
            }
            TokenTree::Group(group) => live_comment(group.stream())?,
            TokenTree::Literal(_) => doc = false,
        }
    }
    Ok(())
}

fn is_live(line: &str) -> bool {
    let tag = line
        .split('<')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)));
    line.contains("```") || line.contains("~~~") || line.starts_with("    ") || line.starts_with('\t') || tag
}

#[cfg(test)]
mod tests {
    use super::check;

    fn verdict(code: &str) -> Result<(), String> {
        check(code.parse().expect("the test's code parses"))
    }

    #[test]
    fn a_path_into_an_unknown_crate_is_found_wherever_it_stands() {
        assert!(verdict("struct A { x: ::evil::Type }").is_err());
        assert!(verdict("fn a() { b(::evil::run()) }").is_err());
        assert!(verdict("type A = Vec<::evil::Type>;").is_err());
    }

    #[test]
    fn the_paths_of_ordinary_code_are_left_alone() {
        assert!(verdict("struct A { x: ::std::option::Option<types::B> }").is_ok());
        assert!(verdict("fn a() { Vec::<u8>::new(); types::evil::x(); <u8 as Into<u16>>::into(1) }").is_ok());
    }

    #[test]
    fn a_comment_that_rustdoc_would_run_or_render_is_found() {
        assert!(verdict("#[doc = \"a\\n```\\nevil()\\n```\"] struct A;").is_err());
        assert!(verdict("#[doc = \"a\\n\\n    evil()\"] struct A;").is_err());
        assert!(verdict("mod x { /** a <script>x</script> */ struct A; }").is_err());
        assert!(verdict("/// Plain, with `code` and a < b.\nstruct A { x: &'static str }").is_ok());
    }
}
