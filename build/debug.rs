//! The `Debug` of the generated types. It shows no text, because any text may hold personal data.

use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Item, Path, Token, Type, parse_quote};

/// Replaces the derived `Debug` of all structs and enums in `items`.
///
/// A name is not enough to find personal data: an address, a custom id or a rejected value can be in any field. So the
/// rule is the other way round: numbers, booleans, times, enums and nested types are shown; texts and free JSON are not.
pub(super) fn without_texts(items: &mut Vec<Item>) -> Result<(), String> {
    let mut added = Vec::new();
    for item in &mut *items {
        match item {
            Item::Struct(item) => {
                if !drop_derive(&mut item.attrs)? {
                    continue;
                }
                let (name, text) = (&item.ident, item.ident.to_string());
                let body = match &item.fields {
                    Fields::Named(fields) => {
                        let fields = fields.named.iter().filter_map(|field| {
                            let name = field.ident.as_ref()?;
                            let label = name.to_string();
                            let value = shown(&quote!(self.#name), &field.ty);
                            Some(quote!(.field(#label, &#value)))
                        });
                        quote!(f.debug_struct(#text) #(#fields)* .finish())
                    }
                    Fields::Unnamed(fields) => {
                        let fields = fields.unnamed.iter().enumerate().map(|(index, field)| {
                            let index = syn::Index::from(index);
                            let value = shown(&quote!(self.#index), &field.ty);
                            quote!(.field(&#value))
                        });
                        quote!(f.debug_tuple(#text) #(#fields)* .finish())
                    }
                    Fields::Unit => quote!(f.write_str(#text)),
                };
                added.push(debug(name, &body));
            }
            Item::Enum(item) => {
                if !drop_derive(&mut item.attrs)? {
                    continue;
                }
                let arms = item.variants.iter().map(|variant| {
                    let (name, text) = (&variant.ident, variant.ident.to_string());
                    match &variant.fields {
                        Fields::Unit => Ok(quote!(Self::#name => f.write_str(#text))),
                        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                            let value = shown(&quote!((*value)), &fields.unnamed[0].ty);
                            Ok(quote!(Self::#name(value) => f.debug_tuple(#text).field(&#value).finish()))
                        }
                        _ => Err(format!(
                            "the variant {text} of a generated enum has more than one field"
                        )),
                    }
                });
                let arms = arms.collect::<Result<Vec<_>, _>>()?;
                added.push(debug(&item.ident, &quote!(match self { #(#arms,)* })));
            }
            _ => {}
        }
    }
    items.extend(added);
    Ok(())
}

fn debug(name: &syn::Ident, body: &impl ToTokens) -> Item {
    parse_quote! {
        impl ::std::fmt::Debug for #name {
            #[allow(unused_variables)]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                #body
            }
        }
    }
}

/// What is shown of a value: `None` and `[redacted]` for a text, the value itself otherwise.
fn shown(value: &impl ToTokens, ty: &Type) -> proc_macro2::TokenStream {
    let text = ty.to_token_stream().to_string();
    // An enum, but personal.
    if !["String", "str", "Value", "Map", "Sex"]
        .iter()
        .any(|word| mentions(&text, word))
    {
        return quote!(#value);
    }
    if text.replace(' ', "").starts_with("::std::option::Option<") {
        quote!(#value.as_ref().map(|_| crate::bindings::Redacted))
    } else {
        quote!(crate::bindings::Redacted)
    }
}

fn mentions(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|part| part == word)
}

/// Takes `Debug` out of `#[derive(…)]`. Returns whether it was there.
fn drop_derive(attributes: &mut [Attribute]) -> Result<bool, String> {
    let mut found = false;
    for attribute in attributes
        .iter_mut()
        .filter(|attribute| attribute.path().is_ident("derive"))
    {
        let derives = attribute
            .parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
            .map_err(|error| format!("progenitor's derive can't be read: {error}"))?;
        let kept: Vec<Path> = derives
            .iter()
            .filter(|path| !path.is_ident("Debug"))
            .cloned()
            .collect();
        if kept.len() != derives.len() {
            found = true;
            *attribute = parse_quote!(#[derive(#(#kept),*)]);
        }
    }
    Ok(found)
}
