//! Writes the open enums: one for each string enum among the document's components.
//!
//! This contains only their names, values and descriptions. The library's macro `open_enum!` defines the types.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToPascalCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::{Map, Value};
use syn::parse_quote;

use super::document::{Document, REMEDY, type_name};

/// The names of variants, by value. A value that is not listed gets a name from its words.
const NAMES: &str = "x-enum-names";
/// The descriptions of values, by value.
const DESCRIPTIONS: &str = "x-enum-descriptions";

/// Longer than any name that a person would write.
const LONGEST_NAME: usize = 64;

pub(crate) fn generate(document: &Document) -> Result<String, String> {
    let mut enums = Vec::new();
    for (schema, definition, values) in document.enums() {
        let one = one(document, schema, definition, values);
        enums.push(one.map_err(|problem| format!("schema {schema}: {problem}; {REMEDY}"))?);
    }
    let file: syn::File = parse_quote! { open_enum! { #(#enums)* } };
    Ok(prettyplease::unparse(&file))
}

fn one(
    document: &Document,
    schema: &str,
    definition: &Value,
    mut values: Vec<&str>,
) -> Result<TokenStream, String> {
    let name = type_name(schema);
    if let Some(other) = document
        .schemas()
        .find(|other| *other != schema && type_name(other) == name)
    {
        return Err(format!("it and the schema {other} both become the type `{name}`"));
    }
    let mut seen = BTreeSet::new();
    values.retain(|value| seen.insert(*value));
    let names = texts(definition, NAMES, &values)?;
    let descriptions = texts(definition, DESCRIPTIONS, &values)?;
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let mut variants = Vec::new();
    for value in values {
        let variant = match names.get(value).and_then(Value::as_str) {
            Some(chosen) if is_variant(chosen) => chosen.to_owned(),
            Some(chosen) => {
                return Err(format!(
                    "{NAMES} has {chosen:?}, which is not a name in PascalCase"
                ));
            }
            None => variant_name(value),
        };
        if variant.len() > LONGEST_NAME {
            return Err(format!(
                "the value {value:?} is too long to be a name; give it one with {NAMES}"
            ));
        }
        if let Some(other) = taken.insert(variant.clone(), value) {
            return Err(format!(
                "its values {other:?} and {value:?} both become `{variant}`; give one of them another name with {NAMES}"
            ));
        }
        let docs = docs(descriptions.get(value), &default_description(value));
        let variant = format_ident!("{variant}");
        variants.push(quote!(#docs #variant = #value,));
    }
    let docs = docs(definition.get("description"), &format!("The schema `{schema}`."));
    let name = format_ident!("{name}");
    Ok(quote!(#docs #name { #(#variants)* }))
}

/// An extension that describes some of the values.
fn texts<'a>(definition: &'a Value, extension: &str, values: &[&str]) -> Result<Map<String, Value>, String> {
    let Some(extended): Option<&'a Value> = definition.get(extension) else {
        return Ok(Map::new());
    };
    let texts = extended
        .as_object()
        .filter(|texts| texts.values().all(Value::is_string))
        .ok_or_else(|| format!("{extension} is not a map of values to texts"))?;
    match texts.keys().find(|value| !values.contains(&value.as_str())) {
        Some(value) => Err(format!(
            "{extension} speaks of {value:?}, which is not one of its values"
        )),
        None => Ok(texts.clone()),
    }
}

fn is_variant(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|character| character.is_ascii_alphanumeric())
        && !is_reserved(name)
}

/// `Self` is a keyword, and `Unknown` contains the values that the document does not list.
fn is_reserved(name: &str) -> bool {
    matches!(name, "Self" | "Unknown")
}

/// A value as the name of a variant. It never fails: a character that a name can't contain is written as its code point.
fn variant_name(value: &str) -> String {
    let code_point = |character: char| format!("-U{:x}-", u32::from(character));
    let mut words = String::new();
    for character in value.chars() {
        if character.is_ascii() {
            words.push(if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            });
        } else {
            words.push_str(&code_point(character));
        }
    }
    let mut name = words.to_pascal_case();
    if name.is_empty() {
        name = value.chars().map(code_point).collect::<String>().to_pascal_case();
    }
    match name.chars().next() {
        None => "Empty".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("Value{name}"),
        Some(_) if is_reserved(&name) => format!("{name}Value"),
        Some(_) => name,
    }
}

fn default_description(value: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-./: ".contains(character);
    if !value.is_empty() && value.chars().all(plain) {
        format!("`{value}`.")
    } else {
        "A value that is not a plain word; [`as_str`](Self::as_str) shows it.".to_owned()
    }
}

fn docs(text: Option<&Value>, otherwise: &str) -> TokenStream {
    let text = text.and_then(Value::as_str).map_or("", str::trim);
    let text = if text.is_empty() { otherwise } else { text };
    let lines = text.lines().map(|line| format!(" {}", line.trim_end()));
    quote!(#(#[doc = #lines])*)
}
