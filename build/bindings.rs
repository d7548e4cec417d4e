//! Runs progenitor, and changes its code. Parts that must not reach a user are removed. Each method of the client creates
//! the request and leaves the rest to the library's own `Call`, which sends it and reads the response.

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};

use openapiv3::OpenAPI;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl};
use quote::{ToTokens, quote};
use schemars::schema::{InstanceType, SchemaObject};
use syn::{
    Expr, File, GenericArgument, ImplItem, ImplItemFn, Item, ItemStruct, PathArguments, ReturnType, Stmt,
    Type, parse_quote,
};

use super::debug;
use super::document::{Document, method_name, type_name};

/// The path of the open enums in the library.
const ENUMS: &str = "crate::model::enums";

pub(crate) fn generate(document: &Document, with_schemars: bool) -> Result<String, String> {
    let settings = settings(document, with_schemars);
    let mut file = run(&settings, &document.api).map_err(|problem| blame(document, &settings, &problem))?;
    let revealing: BTreeSet<String> = document
        .request_schemas()
        .iter()
        .map(|name| type_name(name))
        .collect();
    let secrets = document.operations_with_secrets()?;
    file.items.retain(is_kept);
    file.items.insert(
        0,
        parse_quote!(
            #[allow(unused_imports)]
            use progenitor_client::{Error, encode_path};
        ),
    );
    for item in &mut file.items {
        match item {
            Item::Mod(module) if module.ident == "types" => {
                if let Some((_, items)) = &mut module.content {
                    for item in &mut *items {
                        if let Item::Struct(item) = item {
                            guard_secrets(item, revealing.contains(&item.ident.to_string()));
                        }
                    }
                    debug::without_texts(items)?;
                }
            }
            Item::Impl(block) => {
                block.items.retain_mut(keep_closed);
                for item in &mut block.items {
                    if let ImplItem::Fn(function) = item
                        && function.sig.asyncness.is_some()
                    {
                        let secret = secrets.contains(&function.sig.ident.to_string());
                        leave_sending(function, secret)?;
                    }
                }
            }
            _ => {}
        }
    }
    let text = prettyplease::unparse(&file);
    for located in document.operations()? {
        if !text.contains(&format!("pub fn {}<", method_name(located.id))) {
            return Err(located.refuse("got another method name than the operation table has"));
        }
    }
    Ok(text)
}

fn settings(document: &Document, with_schemars: bool) -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::bindings::ClientState))
        .with_map_type("::std::collections::BTreeMap");
    let password = SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        format: Some("password".into()),
        ..SchemaObject::default()
    };
    settings.with_conversion(password, "crate::Secret", std::iter::empty());
    for (schema, ..) in document.enums() {
        let name = type_name(schema);
        let path = format!("{ENUMS}::{name}");
        settings.with_replacement(name, path, [TypeImpl::Display, TypeImpl::FromStr].into_iter());
    }
    // A value that is read, changed and written back as a whole must keep the fields that the document doesn't know.
    for name in document.open_request_schemas() {
        settings.with_replacement(type_name(&name), "crate::bindings::RawObject", std::iter::empty());
    }
    if with_schemars {
        settings.with_derive("::schemars::JsonSchema");
    }
    settings
}

/// progenitor panics where it can't continue. Here the panic becomes an error.
fn run(settings: &GenerationSettings, api: &OpenAPI) -> Result<File, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| Generator::new(settings).generate_tokens(api)));
    panic::set_hook(hook);
    let tokens = match outcome {
        Ok(Ok(tokens)) => tokens,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            return Err(text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("it panicked")
                .to_owned());
        }
    };
    syn::parse2(tokens).map_err(|error| format!("its code does not parse: {error}"))
}

/// Finds the operation that progenitor can't process, by passing it one at a time.
fn blame(document: &Document, settings: &GenerationSettings, problem: &str) -> String {
    for located in document.operations().unwrap_or_default() {
        if let Err(problem) = run(settings, &document.only(located.id)) {
            let responses = &located.operation.responses;
            let statuses: Vec<String> = responses.responses.keys().map(ToString::to_string).collect();
            let default = if responses.default.is_some() {
                " and default"
            } else {
                ""
            };
            return located.refuse(&format!(
                "progenitor can't take it: {problem} (responses {}{default}; it takes one shape for all successes and one \
                 for all errors)",
                statuses.join(", ")
            ));
        }
    }
    format!("progenitor can't take it, though each operation alone works: {problem}")
}

/// `Secret` has no `Serialize`. A field of a request writes its value out; any other field only says that there is one.
fn guard_secrets(item: &mut ItemStruct, reveal: bool) {
    let verb = if reveal { "reveal" } else { "redact" };
    for field in &mut item.fields {
        let path = match type_text(&field.ty).as_str() {
            "crate::Secret" => format!("crate::secret::wire::{verb}"),
            "::std::option::Option<crate::Secret>" => format!("crate::secret::wire::{verb}_option"),
            _ => continue,
        };
        field.attrs.push(parse_quote!(#[serde(serialize_with = #path)]));
    }
}

fn type_text(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

/// `Client::new` is removed, because it would build an HTTP client that follows redirects with a credential. The other
/// constructor is for the crate, which knows how a client must be built.
fn keep_closed(item: &mut ImplItem) -> bool {
    if let ImplItem::Fn(function) = item {
        if function.sig.ident == "new" {
            return false;
        }
        if function.sig.ident == "new_with_client" {
            function.vis = parse_quote!(pub(crate));
        }
    }
    true
}

/// progenitor's own sending code, results and errors are not used.
fn is_kept(item: &Item) -> bool {
    match item {
        Item::Use(_) | Item::Const(_) => false,
        Item::Mod(module) => module.ident != "prelude",
        Item::Impl(block) => block.trait_.is_none(),
        _ => true,
    }
}

/// Turns `async fn x(…) -> Result<ResponseValue<T>, Error<E>>`, which sends with progenitor's hooks and reads the response
/// by status, into `fn x(…) -> Call<'_, T>`: the same request, but sent and read by the library.
fn leave_sending(function: &mut ImplItemFn, secret: bool) -> Result<(), String> {
    let name = function.sig.ident.to_string();
    let changed = |what: &str| format!("progenitor's code for {name} has changed: {what}");
    let value = value_type(&function.sig.output).ok_or_else(|| changed("it returns no ResponseValue"))?;
    let (value, constructor): (Type, _) = match type_text(&value).as_str() {
        "()" => (value, quote!(empty)),
        "ByteStream" => (parse_quote!(::bytes::Bytes), quote!(bytes)),
        _ => (value, quote!(json)),
    };
    let statements = &mut function.block.stmts;
    let end = statements
        .iter()
        .position(|statement| statement_text(statement).starts_with("letinfo=OperationInfo"))
        .ok_or_else(|| changed("it makes no OperationInfo"))?;
    statements.truncate(end);
    // The transport adds the version to all requests alike.
    statements.retain(|statement| {
        let text = statement_text(statement);
        !(text.starts_with("header_map.append(") && text.contains("\"api-version\""))
    });
    let has_headers = statements
        .iter()
        // An optional header is appended within an `if let`.
        .any(|statement| statement_text(statement).contains("header_map.append("));
    if !has_headers {
        statements.retain(|statement| !statement_text(statement).starts_with("letmutheader_map="));
    }
    let request = statements
        .last_mut()
        .ok_or_else(|| changed("it makes no request"))?;
    let Stmt::Local(local) = request else {
        return Err(changed("its request is not a local variable"));
    };
    let made = local
        .init
        .as_mut()
        .ok_or_else(|| changed("its request is empty"))?;
    change_request(&mut made.expr, has_headers, secret);
    let operation = quote::format_ident!("{}", name.to_uppercase());
    let made = std::mem::take(statements);
    function.block = parse_quote!({
        let request = || -> ::std::result::Result<::reqwest::Request, Error<()>> {
            #(#made)*
            Ok(request)
        };
        crate::bindings::Call::#constructor(&self.inner, &crate::operation::#operation, request())
    });
    function.sig.asyncness = None;
    function.sig.output = parse_quote!(-> crate::bindings::Call<'a, #value>);
    Ok(())
}

/// The `T` of `Result<ResponseValue<T>, _>`.
fn value_type(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, output) = output else {
        return None;
    };
    argument(&argument(output, "Result")?, "ResponseValue")
}

fn argument(ty: &Type, of: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == of)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    }
}

fn statement_text(statement: &Stmt) -> String {
    statement.to_token_stream().to_string().replace(' ', "")
}

/// In the chain that builds a request: a JSON body that contains a secret is wiped from memory, and no empty headers are
/// added.
fn change_request(chain: &mut Expr, has_headers: bool, secret: bool) {
    match chain {
        Expr::Try(inner) => change_request(&mut inner.expr, has_headers, secret),
        Expr::MethodCall(call) => {
            change_request(&mut call.receiver, has_headers, secret);
            let receiver = &call.receiver;
            if call.method == "json" {
                let body = &call.args;
                let json = if secret {
                    quote!(secret_json_body)
                } else {
                    quote!(json_body)
                };
                *chain = parse_quote!(
                    #receiver
                        .header(
                            ::reqwest::header::CONTENT_TYPE,
                            ::reqwest::header::HeaderValue::from_static("application/json"),
                        )
                        .body(crate::bindings::#json(#body)?)
                );
            } else if call.method == "headers" && !has_headers {
                *chain = (**receiver).clone();
            }
        }
        _ => {}
    }
}
