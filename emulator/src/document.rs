//! The document: what requests and responses must look like, and which fields are secret.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use axum::http::StatusCode;
use serde_json::Value;

use crate::errors::{ApiError, FieldProblem};
use crate::schema::{Dialect, Schema, to_json_schema};

const DOCUMENT: &str = include_str!("../openapi/synerise-auth.json");

/// The vendored document, prepared for checks.
#[derive(Debug)]
pub(crate) struct Document {
    /// By operation.
    requests: HashMap<String, RequestSchemas>,
    /// By operation, then by status as the document writes it: `200`, `2XX`.
    responses: HashMap<String, HashMap<String, Content>>,
    /// By operation: the HTTP schemes that authenticate a call of it.
    schemes: HashMap<String, BTreeSet<String>>,
    reserved_attributes: BTreeSet<String>,
    secret_fields: BTreeSet<String>,
}

#[derive(Debug)]
struct RequestSchemas {
    parameters: Vec<Parameter>,
    body: Option<Body>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    place: String,
    required: bool,
    schema: Schema,
}

#[derive(Debug)]
struct Body {
    required: bool,
    schema: Schema,
}

#[derive(Debug)]
enum Content {
    Empty,
    Json(Schema),
    Other(String),
}

impl Document {
    /// The document that the emulator was built with. Every emulator of a process shares it, and with it the compiled
    /// schemas.
    pub(crate) fn embedded() -> Result<&'static Self, String> {
        static SHARED: OnceLock<Result<Document, String>> = OnceLock::new();
        SHARED.get_or_init(Self::parse).as_ref().map_err(Clone::clone)
    }

    fn parse() -> Result<Self, String> {
        let document: Value = serde_json::from_str(DOCUMENT).map_err(|error| error.to_string())?;
        let reserved = document.pointer("/components/schemas/Attributes/x-reserved-names");
        let reserved = reserved.and_then(Value::as_array).into_iter().flatten();
        let reserved_attributes = reserved.filter_map(Value::as_str).map(str::to_owned).collect();
        let mut secret_fields = BTreeSet::new();
        collect_secret_fields(&document, &mut secret_fields);

        let schemes = by_operation(&document, |document, operation| Ok(schemes(document, operation)))?;

        let (mut requests, mut responses) = (document.clone(), document);
        to_json_schema(&mut requests, Dialect::Lenient);
        to_json_schema(&mut responses, Dialect::Strict);
        Ok(Self {
            requests: by_operation(&requests, request_schemas)?,
            responses: by_operation(&responses, response_schemas)?,
            schemes,
            reserved_attributes,
            secret_fields,
        })
    }

    /// Names that the attributes of a profile may not have.
    pub(crate) fn reserved_attributes(&self) -> &BTreeSet<String> {
        &self.reserved_attributes
    }

    /// Names of body members whose values are secret: those of format `password`.
    pub(crate) fn secret_fields(&self) -> &BTreeSet<String> {
        &self.secret_fields
    }

    /// Checks the parameters and the body of a request.
    pub(crate) fn check_request(
        &self,
        operation: &str,
        path: &HashMap<String, String>,
        query: &HashMap<String, String>,
        body: Option<&Value>,
    ) -> Result<(), ApiError> {
        let Some(schemas) = self.requests.get(operation) else {
            return Ok(());
        };
        let mut problems = Vec::new();
        for parameter in &schemas.parameters {
            let given = if parameter.place == "path" { path } else { query };
            match given.get(&parameter.name) {
                Some(value) => {
                    problems.extend(parameter.schema.problems(&value.as_str().into(), &parameter.name));
                }
                None if parameter.required => problems.push(FieldProblem {
                    field: parameter.name.clone(),
                    message: "is a required parameter".to_owned(),
                }),
                None => {}
            }
        }
        match (&schemas.body, body) {
            (Some(expected), Some(body)) => problems.extend(expected.schema.problems(body, "")),
            (Some(expected), None) if expected.required => {
                return Err(ApiError::bad_request("The request body is missing"));
            }
            _ => {}
        }
        if problems.is_empty() {
            return Ok(());
        }
        let mut error = ApiError::bad_request("The request is not valid");
        error.fields = problems;
        Err(error)
    }

    /// Checks that a caller whom the emulator accepted was authenticated by a scheme of the operation.
    pub(crate) fn check_scheme(&self, operation: &str, scheme: &str) -> Result<(), String> {
        match self.schemes.get(operation) {
            Some(schemes) if !schemes.contains(scheme) => Err(format!(
                "{operation}: the document does not have the scheme {scheme}"
            )),
            _ => Ok(()),
        }
    }

    /// Checks one of the emulator's own responses.
    pub(crate) fn check_response(
        &self,
        operation: &str,
        status: StatusCode,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<(), String> {
        let Some(by_status) = self.responses.get(operation) else {
            return Ok(());
        };
        let range = format!("{}XX", status.as_u16() / 100);
        let Some(content) = by_status.get(status.as_str()).or_else(|| by_status.get(&range)) else {
            return Err(format!("{operation}: the document does not have status {status}"));
        };
        match content {
            Content::Empty if body.is_empty() => Ok(()),
            Content::Empty => Err(format!(
                "{operation}: {status} has a body, but the document does not describe one"
            )),
            Content::Other(media) if content_type == Some(media) => Ok(()),
            Content::Other(media) => Err(format!(
                "{operation}: the content type of {status} is not {media}"
            )),
            Content::Json(_) if content_type != Some("application/json") => Err(format!(
                "{operation}: the content type of {status} is not application/json"
            )),
            Content::Json(schema) => {
                let body = serde_json::from_slice(body)
                    .map_err(|error| format!("{operation}: {status}: {error}"))?;
                match schema.problems(&body, "").first() {
                    Some(FieldProblem { field, message, .. }) => {
                        Err(format!("{operation}: {status}: {field} {message}"))
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

/// What `read` makes of each operation, by its id.
fn by_operation<T>(
    document: &Value,
    read: fn(&Value, &Value) -> Result<T, String>,
) -> Result<HashMap<String, T>, String> {
    let methods = members(document.get("paths")).flat_map(|(_, methods)| members(Some(methods)));
    methods
        .filter_map(|(_, operation)| {
            let id = operation.get("operationId").and_then(Value::as_str)?;
            let schemas = read(document, operation).map_err(|error| format!("{id}: {error}"));
            Some(schemas.map(|schemas| (id.to_owned(), schemas)))
        })
        .collect()
}

fn request_schemas(document: &Value, operation: &Value) -> Result<RequestSchemas, String> {
    let parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let parameters = parameters.map(|parameter| {
        let parameter = resolved(document, parameter);
        let text = |name: &str| {
            parameter
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Parameter {
            name: text("name"),
            place: text("in"),
            required: flag(parameter, "required"),
            schema: Schema::of(document, parameter.get("schema"))?,
        })
    });
    let body = operation.get("requestBody").map(|body| {
        let body = resolved(document, body);
        let schema = body.pointer("/content/application~1json/schema");
        Ok::<_, String>(Body {
            required: flag(body, "required"),
            schema: Schema::of(document, schema)?,
        })
    });
    Ok(RequestSchemas {
        parameters: parameters.collect::<Result<_, String>>()?,
        body: body.transpose()?,
    })
}

/// The HTTP schemes of an operation, in lower case.
fn schemes(document: &Value, operation: &Value) -> BTreeSet<String> {
    let declared = document.pointer("/components/securitySchemes");
    let requirements = operation.get("security").and_then(Value::as_array);
    let names = requirements
        .into_iter()
        .flatten()
        .flat_map(|one| members(Some(one)));
    names
        .filter_map(|(name, _)| declared?.get(name)?.get("scheme")?.as_str())
        .map(str::to_lowercase)
        .collect()
}

fn response_schemas(document: &Value, operation: &Value) -> Result<HashMap<String, Content>, String> {
    members(operation.get("responses"))
        .map(|(status, response)| {
            let response = resolved(document, response);
            let content = match members(response.get("content")).next() {
                None => Content::Empty,
                Some((media, content)) if media == "application/json" => {
                    Content::Json(Schema::of(document, content.get("schema"))?)
                }
                Some((media, _)) => Content::Other(media.clone()),
            };
            Ok((status.clone(), content))
        })
        .collect()
}

/// Adds the names of all properties of format `password`, wherever schemas are in `value`.
fn collect_secret_fields(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_secret_fields(item, names)),
        Value::Object(object) => {
            for (name, schema) in members(object.get("properties")) {
                if schema.get("format").and_then(Value::as_str) == Some("password") {
                    names.insert(name.clone());
                }
            }
            object
                .values()
                .for_each(|member| collect_secret_fields(member, names));
        }
        _ => {}
    }
}

fn members(object: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    object.and_then(Value::as_object).into_iter().flatten()
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'));
    reference
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::consumer::Kind;
    use crate::operations::Access;
    use crate::operations::OPERATIONS;

    fn document() -> Document {
        Document::parse().expect("the document is usable")
    }

    #[test]
    fn every_operation_is_served_as_the_document_says() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut ids = BTreeSet::new();
        for (path, methods) in members(document.get("paths")) {
            for (method, operation) in members(Some(methods)) {
                let id = operation["operationId"].as_str().unwrap();
                let served = OPERATIONS.iter().find(|served| served.id == id);
                let served = served.unwrap_or_else(|| panic!("{id} is not served"));
                assert_eq!(
                    (served.path, served.method.as_str().to_lowercase()),
                    (path.as_str(), method.clone()),
                    "{id}"
                );
                assert_eq!(consumers(served.access), documented_consumers(operation), "{id}");
                assert_eq!(served.permission, operation["x-permission"].as_str(), "{id}");
                assert_eq!(
                    served.basic,
                    schemes(&document, operation).contains("basic"),
                    "{id}"
                );
                ids.insert(id.to_owned());
            }
        }
        assert_eq!(ids.len(), OPERATIONS.len());
    }

    /// In the document's words.
    fn consumers(access: Access) -> BTreeSet<&'static str> {
        let word = |kind: &Kind| match kind {
            Kind::PendingUser | Kind::User => "user",
            Kind::UserInWorkspace => "user-in-workspace",
            Kind::Workspace => "workspace",
            Kind::Profile => "profile",
            Kind::Anonymous => "anonymous",
        };
        match access {
            Access::Open => BTreeSet::from(["none"]),
            Access::Bearer(kinds) => kinds.iter().map(word).collect(),
            Access::OpenOrBearer(kinds) => kinds.iter().map(word).chain(["none"]).collect(),
        }
    }

    /// It is not documented how organizations authenticate, so no operation here accepts them.
    fn documented_consumers(operation: &Value) -> BTreeSet<&str> {
        let consumers = operation["x-consumers"].as_array().unwrap().iter();
        consumers
            .map(|consumer| consumer.as_str().unwrap())
            .filter(|name| *name != "organization")
            .collect()
    }

    #[test]
    fn every_schema_of_the_document_compiles() {
        let Document {
            requests, responses, ..
        } = document();
        for (id, request) in requests {
            let parameters = request.parameters.into_iter().map(|parameter| parameter.schema);
            for schema in parameters.chain(request.body.map(|body| body.schema)) {
                assert!(schema.compile().is_ok(), "{id}");
            }
        }
        for (id, by_status) in responses {
            for content in by_status.into_values() {
                if let Content::Json(schema) = content {
                    assert!(schema.compile().is_ok(), "{id}");
                }
            }
        }
    }

    #[test]
    fn an_invalid_request_is_told_which_field() {
        let none = HashMap::new();
        let error = document().check_request("workspaceLogin", &none, &none, Some(&json!({ "apiKey": 7 })));
        assert_eq!(error.unwrap_err().fields[0].field, "apiKey");
        let code = json!({ "verificationCode": "123456" });
        let error = document().check_request("userMfaLogin", &none, &none, Some(&code));
        assert_eq!(error.unwrap_err().fields[0].field, "mfaType");
        let error = document().check_request("workspaceLogin", &none, &none, None);
        assert_eq!(error.unwrap_err().status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn the_value_of_an_invalid_field_is_not_repeated() {
        let none = HashMap::new();
        let body = json!({ "apiKey": ["canary"] });
        let error = document()
            .check_request("workspaceLogin", &none, &none, Some(&body))
            .unwrap_err();
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn a_response_that_does_not_fit_is_an_error() {
        let document = document();
        let check = |status, content_type, body: &str| {
            document.check_response("workspaceLogin", status, Some(content_type), body.as_bytes())
        };
        let json = "application/json";
        let good = r#"{"token":"t"}"#;
        assert_eq!(check(StatusCode::OK, json, good), Ok(()));
        assert!(check(StatusCode::OK, json, "{}").is_err());
        assert!(check(StatusCode::FOUND, json, good).is_err());
        assert!(check(StatusCode::OK, "text/plain", good).is_err());
    }

    #[test]
    fn a_scheme_that_the_document_does_not_have_is_an_error() {
        let document = document();
        assert_eq!(document.check_scheme("checkPermissions", "basic"), Ok(()));
        assert_eq!(document.check_scheme("checkPermissions", "bearer"), Ok(()));
        assert!(document.check_scheme("changePassword", "basic").is_err());
    }

    #[test]
    fn the_secret_fields_are_those_of_format_password() {
        let document = document();
        for secret in ["password", "apiKey", "token", "pinCode", "verificationCode"] {
            assert!(document.secret_fields().contains(secret), "{secret}");
        }
        for open in ["email", "uuid", "deviceId", "username"] {
            assert!(!document.secret_fields().contains(open), "{open}");
        }
    }

    #[test]
    fn null_in_a_response_fits_a_nullable_field_alone() {
        let check = |body: Value| {
            let body = body.to_string();
            document().check_response(
                "authenticateAnonymously",
                StatusCode::OK,
                Some("application/json"),
                body.as_bytes(),
            )
        };
        assert_eq!(check(json!({ "token": "t", "customId": null })), Ok(()));
        assert!(check(json!({ "token": null })).is_err());
    }
}
