//! What rustdoc says of the public functions: how each one fails, and which operation of Synerise it calls.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/repository.rs"]
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use heck::ToSnakeCase;
use serde_json::Value;
use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, ReturnType, Signature, TraitItem, Type, Visibility};

use tree::{files, read};

const CRATES: [&str; 4] = ["src", "emulator/src", "middleware/src", "redis/src"];

struct Function {
    place: String,
    documentation: String,
    signature: Signature,
    body: String,
}

/// The public functions of a crate's sources. The items of a private module may be re-exported, so they count too.
fn functions(folder: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    for (place, text) in sources(folder) {
        of_items(&parsed(&place, &text).items, &place, &mut functions);
    }
    functions
}

/// The sources in a folder, by their paths.
fn sources(folder: &str) -> Vec<(String, String)> {
    let of_folder = |path: &PathBuf| {
        path.starts_with(folder) && path.extension().is_some_and(|extension| extension == "rs")
    };
    let paths = files().into_iter().filter(of_folder);
    paths
        .map(|path| (path.display().to_string(), read(&path)))
        .collect()
}

fn parsed(place: &str, text: &str) -> syn::File {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{place}: {error}"))
}

fn of_items(items: &[Item], place: &str, functions: &mut Vec<Function>) {
    let function = |attributes: &[Attribute], signature: &Signature, body: String| Function {
        place: format!("{place}: {}", signature.ident),
        documentation: documentation(attributes),
        signature: signature.clone(),
        body,
    };
    for item in items {
        match item {
            Item::Fn(one) if is_public(&one.vis) => {
                functions.push(function(&one.attrs, &one.sig, tokens(&one.block)));
            }
            Item::Impl(block) if block.trait_.is_none() => {
                for item in &block.items {
                    if let ImplItem::Fn(method) = item
                        && is_public(&method.vis)
                    {
                        functions.push(function(&method.attrs, &method.sig, tokens(&method.block)));
                    }
                }
            }
            Item::Trait(definition) if is_public(&definition.vis) => {
                for item in &definition.items {
                    if let TraitItem::Fn(method) = item {
                        functions.push(function(&method.attrs, &method.sig, String::new()));
                    }
                }
            }
            // What is sealed can't be called from outside.
            Item::Mod(module) if !is_test(&module.attrs) && module.ident != "sealed" => {
                if let Some((_, items)) = &module.content {
                    of_items(items, place, functions);
                }
            }
            _ => {}
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_test(attributes: &[Attribute]) -> bool {
    let conditions = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    conditions
        .into_iter()
        .any(|condition| tokens(condition).contains("test)"))
}

fn tokens(part: &impl quote::ToTokens) -> String {
    part.to_token_stream().to_string().replace(' ', "")
}

fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether it returns a `Result`, or a request that is one once it was awaited.
fn is_fallible(signature: &Signature, awaited: &BTreeSet<String>) -> bool {
    let ReturnType::Type(_, returned) = &signature.output else {
        return false;
    };
    let Type::Path(path) = &**returned else {
        return false;
    };
    let name = path.path.segments.last().map(|last| last.ident.to_string());
    name.is_some_and(|name| name == "Result" || awaited.contains(&name))
}

/// The types that are awaited: those with `IntoFuture`. Their own setters return `Self`.
fn awaited_types(folder: &str) -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for (place, text) in sources(folder) {
        for item in &parsed(&place, &text).items {
            if let Item::Impl(block) = item
                && let Some((implemented, _)) = &block.trait_
                && implemented
                    .segments
                    .last()
                    .is_some_and(|last| last.ident == "IntoFuture")
                && let Type::Path(path) = &*block.self_ty
            {
                types.extend(path.path.segments.last().map(|last| last.ident.to_string()));
            }
        }
    }
    types
}

/// The part under `# Errors`.
fn errors(documentation: &str) -> Option<&str> {
    let (_, part) = documentation.split_once("# Errors\n")?;
    Some(part.split("\n # ").next().unwrap_or(part))
}

/// Whether its error is the crate's own, which has kinds: `Result` has one type.
fn has_kinds(signature: &Signature) -> bool {
    !tokens(&signature.output).contains(",Violation>")
}

/// A kind by its name, or the other function that fails in the same way.
fn says_how(errors: &str) -> bool {
    ["ErrorKind::", "ails like", "is awaited, like"]
        .iter()
        .any(|words| errors.contains(words))
}

#[test]
fn every_function_that_can_fail_says_how() {
    let mut silent = Vec::new();
    let mut fallible = 0;
    for folder in CRATES {
        let awaited = awaited_types(folder);
        for function in functions(folder)
            .into_iter()
            .filter(|one| is_fallible(&one.signature, &awaited))
        {
            fallible += 1;
            match errors(&function.documentation) {
                None => silent.push(format!("{} has no `# Errors`", function.place)),
                // The emulator and the store's own errors have no kinds.
                Some(part) if folder == "src" && has_kinds(&function.signature) && !says_how(part) => {
                    silent.push(format!("{} names no `ErrorKind`", function.place));
                }
                Some(_) => {}
            }
        }
    }
    let request = read("src/session/request.rs");
    let (_, of_request) = request.split_once("/// A request under construction").unwrap();
    let (of_request, _) = of_request.split_once("pub struct Request").unwrap();
    assert!(
        of_request.contains("# Errors"),
        "the others refer to it: `Fails like any Request`"
    );
    assert!(fallible > 70, "only {fallible}: is the search broken?");
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// The operations of the document, by the name of the generated method: id and `METHOD /path`.
fn operations() -> BTreeMap<String, (String, String)> {
    let document: Value = serde_json::from_str(&read("openapi/synerise-auth.json")).unwrap();
    let mut operations = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if let Some(id) = operation["operationId"].as_str() {
                let call = format!("{} {path}", method.to_uppercase());
                operations.insert(id.to_snake_case(), (id.to_owned(), call));
            }
        }
    }
    operations
}

#[test]
fn every_call_links_its_operation() {
    let operations = operations();
    let functions = functions("src");
    let mut problems = Vec::new();
    for (method, (id, call)) in &operations {
        let link = format!("[`{id}`](crate::raw::Client::{method})");
        let linking: Vec<&Function> = functions
            .iter()
            .filter(|function| function.documentation.contains(&link))
            .collect();
        if linking.is_empty() {
            problems.push(format!("no public function links {link}"));
        }
        let unpublished = method == "authenticate_profile_server_side";
        let stated = linking.iter().any(|function| {
            let text = function.documentation.replace("\n ", " ");
            text.contains(&format!("`{call}")) || unpublished
        });
        if !linking.is_empty() && !stated {
            problems.push(format!("nothing that links {id} states `{call}`"));
        }
        let direct = format!(".raw().{method}(");
        for function in functions
            .iter()
            .filter(|function| function.body.contains(&direct))
        {
            if !function.documentation.contains(&link) {
                problems.push(format!("{} does not link {link}", function.place));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What people type who know Synerise's documents or its SDKs, and the item that it has to find.
const TERMS: [(&str, &str); 26] = [
    ("apiKey", "ApiKey"),
    ("workspace JWT", "workspace"),
    ("workspace JWT", "WorkspaceSession"),
    ("anonymous JWT", "AnonymousSession"),
    ("profile JWT", "ProfileSession"),
    ("user JWT", "UserSession"),
    ("JWT", "Token"),
    ("mfaType", "MfaChallenge"),
    ("mfaMethods", "methods"),
    ("verificationCode", "verify"),
    ("SAU-302", "ActivationRequired"),
    ("SAU-303", "ActivationRequired"),
    ("SAU-601", "DeviceIdRequired"),
    ("identityProvider", "Identity"),
    ("deviceId", "device_id"),
    ("businessProfile", "select_workspace"),
    ("RaaS", "NewAccount"),
    ("confirmationCode", "confirm_phone_change"),
    ("oldPassword", "PasswordChange"),
    ("permission-check", "check_permissions"),
    ("public.pem", "verifier"),
    ("tracking code", "TrackerKey"),
    ("newsletterAgreement", "Agreements"),
    ("simple-auth", "simple_login"),
    ("clientId", "profile_id"),
    ("refreshToken", "refresh"),
];

/// Each alias stands directly before its item, or before the item's other attributes.
#[test]
fn the_words_of_synerise_find_their_items() {
    let mut aliases = BTreeSet::new();
    for (_, text) in sources("src") {
        for (_, rest) in text
            .match_indices("#[doc(alias")
            .map(|(at, _)| text[at..].split_at(11))
        {
            let (inside, after) = rest.split_once(")]").or_else(|| rest.split_once(']')).unwrap();
            let item = after
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty() && !line.starts_with("#[") && !line.starts_with("//"));
            let item = item.unwrap_or_default();
            let name = item
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .find(|word| !["pub", "async", "fn", "struct", "enum", "type", "trait"].contains(word));
            for alias in inside.split('"').skip(1).step_by(2) {
                aliases.insert((alias.to_owned(), name.unwrap_or_default().to_owned()));
            }
        }
    }
    let missing: Vec<_> = TERMS
        .iter()
        .filter(|(term, item)| !aliases.contains(&((*term).to_owned(), (*item).to_owned())))
        .collect();
    assert!(
        missing.is_empty(),
        "no alias: {missing:?}\nthere are {aliases:#?}"
    );
}

#[test]
fn functions_and_what_is_said_of_them_are_found() {
    let code = "
        /// Reads.
        ///
        /// # Errors
        /// Returns [`ErrorKind::Api`].
        pub fn read() -> crate::Result<u8> { self.raw().get_it() }
        pub(crate) fn hidden() -> Result<u8> { todo!() }
        pub trait Reads { fn it(&self) -> Result<(), E>; }
        impl A { pub async fn a(&self) -> Result<u8> { Ok(1) } fn b() {} }
        #[cfg(test)] mod tests { pub fn not_counted() -> Result<u8> { Ok(1) } }
    ";
    let mut found = Vec::new();
    of_items(&syn::parse_file(code).unwrap().items, "x", &mut found);
    let names: Vec<&str> = found.iter().map(|function| function.place.as_str()).collect();
    assert_eq!(names, ["x: read", "x: it", "x: a"]);
    let none = BTreeSet::new();
    assert!(
        found
            .iter()
            .all(|function| is_fallible(&function.signature, &none))
    );
    assert!(errors(&found[0].documentation).is_some_and(says_how));
    assert!(errors(&found[1].documentation).is_none());
    assert!(found[0].body.contains(".raw().get_it("));
}
