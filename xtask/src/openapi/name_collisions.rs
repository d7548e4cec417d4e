//! Two names of the document that become one name in Rust: such code parses, but does not compile.

use std::collections::BTreeSet;

use syn::{Fields, FnArg, ImplItem, Item, Pat, Type};

/// Looks through generated code for names that would be declared twice.
pub(super) fn check(items: &[Item]) -> Result<(), String> {
    let (mut types, mut functions) = (Scope::default(), Scope::default());
    for item in items {
        match item {
            Item::Struct(item) => {
                types.declare("type", &item.ident, "")?;
                fields(&item.fields, &item.ident)?;
            }
            Item::Enum(item) => {
                types.declare("type", &item.ident, "")?;
                let mut variants = Scope::default();
                for variant in &item.variants {
                    variants.declare("value", &variant.ident, &format!(" of `{}`", item.ident))?;
                    fields(&variant.fields, &variant.ident)?;
                }
            }
            Item::Type(item) => types.declare("type", &item.ident, "")?,
            Item::Mod(item) => {
                types.declare("module", &item.ident, "")?;
                if let Some((_, items)) = &item.content {
                    check(items)?;
                }
            }
            Item::Impl(item) if item.trait_.is_none() => {
                for method in &item.items {
                    let ImplItem::Fn(method) = method else { continue };
                    functions.declare(
                        "function",
                        &method.sig.ident,
                        &format!(" of `{}`", self_type(&item.self_ty)),
                    )?;
                    arguments(&method.sig)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The names of one kind in one place.
#[derive(Default)]
struct Scope(BTreeSet<String>);

impl Scope {
    fn declare(&mut self, what: &str, name: &syn::Ident, place: &str) -> Result<(), String> {
        if self.0.insert(format!("{name}{place}")) {
            return Ok(());
        }
        Err(format!(
            "two names of the document become the {what} `{name}`{place}; rename or remove one of them"
        ))
    }
}

fn fields(fields: &Fields, owner: &syn::Ident) -> Result<(), String> {
    let mut names = Scope::default();
    fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .try_for_each(|name| names.declare("field", name, &format!(" of `{owner}`")))
}

fn arguments(function: &syn::Signature) -> Result<(), String> {
    let mut names = Scope::default();
    function
        .inputs
        .iter()
        .filter_map(|argument| match argument {
            FnArg::Typed(argument) => match &*argument.pat {
                Pat::Ident(name) => Some(&name.ident),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        })
        .try_for_each(|name| names.declare("parameter", name, &format!(" of `{}`", function.ident)))
}

fn self_type(of: &Type) -> String {
    match of {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
    .unwrap_or_default()
}
