//! The document: what a request and an answer have to look like.

use std::collections::{BTreeSet, HashMap};

use axum::http::StatusCode;
use serde_json::Value;

use crate::errors::{ApiError, FieldProblem};
use crate::schema::{Schema, to_json_schema};

const DOCUMENT: &str = include_str!("../openapi/synerise-auth.json");

/// The vendored document, ready to check with.
#[derive(Debug)]
pub(crate) struct Document {
    operations: HashMap<String, Schemas>,
    reserved_attributes: BTreeSet<String>,
}

/// The schemas of one operation.
#[derive(Debug)]
struct Schemas {
    parameters: Vec<Parameter>,
    body: Option<Body>,
    /// By status as the document writes it: `200`, `2XX`.
    answers: HashMap<String, Content>,
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
    /// The document that the emulator was built with, or what is wrong with it.
    pub(crate) fn embedded() -> Result<Self, String> {
        let mut document: Value = serde_json::from_str(DOCUMENT).map_err(|error| error.to_string())?;
        to_json_schema(&mut document);
        let reserved = document.pointer("/components/schemas/Attributes/x-reserved-names");
        let reserved = reserved.and_then(Value::as_array).into_iter().flatten();
        let reserved_attributes = reserved.filter_map(Value::as_str).map(str::to_owned).collect();

        let mut operations = HashMap::new();
        for (_, methods) in members(document.get("paths")) {
            for (_, operation) in members(Some(methods)).filter(|(_, operation)| operation.is_object()) {
                let id = operation
                    .get("operationId")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let schemas = Schemas::of(&document, operation).map_err(|error| format!("{id}: {error}"))?;
                operations.insert(id.to_owned(), schemas);
            }
        }
        Ok(Self {
            operations,
            reserved_attributes,
        })
    }

    pub(crate) fn reserved_attributes(&self) -> &BTreeSet<String> {
        &self.reserved_attributes
    }

    /// Whether the parameters and the body of a request fit.
    pub(crate) fn check_request(
        &self,
        operation: &str,
        path: &HashMap<String, String>,
        query: &HashMap<String, String>,
        body: Option<&Value>,
    ) -> Result<(), ApiError> {
        let Some(schemas) = self.operations.get(operation) else {
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

    /// What about an answer does not fit, if anything.
    pub(crate) fn check_response(
        &self,
        operation: &str,
        status: StatusCode,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<(), String> {
        let Some(schemas) = self.operations.get(operation) else {
            return Ok(());
        };
        let range = format!("{}XX", status.as_u16() / 100);
        let Some(content) = schemas
            .answers
            .get(status.as_str())
            .or_else(|| schemas.answers.get(&range))
        else {
            return Err(format!("{operation}: the document has no status {status}"));
        };
        match content {
            Content::Empty if body.is_empty() => Ok(()),
            Content::Empty => Err(format!("{operation}: {status} has a body, and the document none")),
            Content::Other(media) if content_type == Some(media) => Ok(()),
            Content::Other(media) => Err(format!("{operation}: {status} is no {media}")),
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

impl Schemas {
    fn of(document: &Value, operation: &Value) -> Result<Self, String> {
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
            let required = flag(parameter, "required");
            let schema = Schema::of(document, parameter.get("schema"))?;
            Ok(Parameter {
                name: text("name"),
                place: text("in"),
                required,
                schema,
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
        let answers = members(operation.get("responses")).map(|(status, answer)| {
            let answer = resolved(document, answer);
            let content = match members(answer.get("content")).next() {
                None => Content::Empty,
                Some((media, content)) if media == "application/json" => {
                    Content::Json(Schema::of(document, content.get("schema"))?)
                }
                Some((media, _)) => Content::Other(media.clone()),
            };
            Ok((status.clone(), content))
        });
        Ok(Self {
            parameters: parameters.collect::<Result<_, String>>()?,
            body: body.transpose()?,
            answers: answers.collect::<Result<_, String>>()?,
        })
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
        Document::embedded().expect("the document is usable")
    }

    #[test]
    fn every_operation_of_the_document_is_served_as_it_says() {
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

    /// How organizations authenticate is not published, so no operation here knows them.
    fn documented_consumers(operation: &Value) -> BTreeSet<&str> {
        let consumers = operation["x-consumers"].as_array().unwrap().iter();
        consumers
            .map(|consumer| consumer.as_str().unwrap())
            .filter(|name| *name != "organization")
            .collect()
    }

    #[test]
    fn every_schema_of_the_document_compiles() {
        for (id, operation) in document().operations {
            let answers = operation
                .answers
                .into_values()
                .filter_map(|content| match content {
                    Content::Json(schema) => Some(schema),
                    Content::Empty | Content::Other(_) => None,
                });
            let parameters = operation.parameters.into_iter().map(|parameter| parameter.schema);
            for schema in answers
                .chain(parameters)
                .chain(operation.body.map(|body| body.schema))
            {
                assert!(schema.compile().is_ok(), "{id}");
            }
        }
    }

    #[test]
    fn a_request_that_does_not_fit_is_told_which_field() {
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
    fn the_value_of_a_field_that_does_not_fit_is_not_repeated() {
        let none = HashMap::new();
        let body = json!({ "apiKey": ["canary"] });
        let error = document()
            .check_request("workspaceLogin", &none, &none, Some(&body))
            .unwrap_err();
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_noticed() {
        let document = document();
        let check = |status, body: &str| {
            document.check_response(
                "workspaceLogin",
                status,
                Some("application/json"),
                body.as_bytes(),
            )
        };
        assert_eq!(check(StatusCode::OK, r#"{"token":"t"}"#), Ok(()));
        assert!(check(StatusCode::OK, "{}").is_err());
        assert!(check(StatusCode::FOUND, "{}").is_err());
    }

    #[test]
    fn nullable_fields_may_be_null_and_open_lists_are_open() {
        let document = document();
        let body = r#"{"selected":false,"data":null}"#;
        assert_eq!(
            document.check_response("getCurrentWorkspace", StatusCode::OK, None, body.as_bytes()),
            Ok(())
        );
        let body = r#"[{"id":1,"ipRestriction":"SOMETHING_NEW"}]"#;
        assert_eq!(
            document.check_response("listWorkspaceIds", StatusCode::OK, None, body.as_bytes()),
            Ok(())
        );
    }
}
