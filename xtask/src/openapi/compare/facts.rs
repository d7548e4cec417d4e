//! An operation as a sorted map of facts: its parameters, its body, its responses and every type that they use.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use super::view::{Fields, View, kind_of, variants, view};
use super::{Place, Side};
use crate::openapi::build_script::simplify::open_alternative;
use crate::openapi::grammar::step;
use crate::openapi::reference::located;

/// What a fact is about. Facts of the same name in the same node are compared, and `verdict` judges each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    Additional,
    Consumer(String),
    Content(String),
    Id,
    Kind,
    Limit(&'static str),
    Listed,
    Media(String, String),
    Nullable,
    Open,
    /// A parameter, a body or a field; its value is whether it is required.
    Part(String),
    Path,
    Repeats(&'static str),
    Reserved(String),
    Rule(&'static str),
    Scheme(String),
    SchemeMember(String, &'static str),
    Schema(String),
    Security,
    Server(String),
    Status(String),
    Style(String),
    Text(String),
    TypeName,
    Unit,
    Value(String),
    Variant(String),
    Version,
}

/// The value of a fact, and its place in the document, if it has one.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    place: Option<String>,
}

impl Entry {
    pub(super) fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }
}

/// Something that has facts: a part of a call, or a type. A node that only one document has is not compared: its
/// absence is a fact of the node above it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) side: Side,
    path: String,
}

impl Node {
    fn new(side: Side, path: impl Into<String>) -> Self {
        Self {
            side,
            path: path.into(),
        }
    }

    fn below(&self, name: &str) -> Self {
        Self::new(self.side, step(&self.path, name))
    }
}

/// Renamed types: the node in the new document, and the node in the old one that it is compared with.
pub(super) type Aliases = BTreeMap<Node, Node>;

pub(super) struct Facts<'a> {
    document: &'a Value,
    aliases: Aliases,
    pub(super) nodes: BTreeMap<Node, BTreeMap<Fact, Entry>>,
    /// The type at each place where one is used.
    types: BTreeMap<Node, Node>,
    /// Uses of schemas that are still to be visited. A list and not recursion, because types form chains and circles.
    uses: VecDeque<(Node, &'a Value, String, String)>,
    /// The named type whose parts are being visited, or nothing.
    owner: String,
    /// The parts without a name that were visited, by owner and place: a part may hold its owner's fields, itself among
    /// them.
    seen: BTreeSet<(Side, String, String)>,
}

impl<'a> Facts<'a> {
    fn new(document: &'a Value, aliases: &Aliases) -> Self {
        Self {
            document,
            aliases: aliases.clone(),
            nodes: BTreeMap::new(),
            types: BTreeMap::new(),
            uses: VecDeque::new(),
            owner: String::new(),
            seen: BTreeSet::new(),
        }
    }

    /// What the document says of itself, and its security schemes.
    pub(super) fn of_document(document: &'a Value) -> Self {
        let mut facts = Self::new(document, &Aliases::new());
        let (call, request) = (Node::new(Side::Call, ""), Node::new(Side::Request, ""));
        let info = &document["info"];
        facts.add(&request, Fact::Version, info["version"].clone(), "/info/version");
        facts.texts(
            &call,
            info,
            "/info",
            &["title", "description", "contact", "license"],
        );
        facts.texts(&call, document, "", &["tags"]);
        for (index, server) in list(document, "servers").enumerate() {
            let url = text(server, "url");
            let at = format!("/servers/{index}");
            facts.add(&call, Fact::Server(url.to_owned()), true, &at);
            facts.add(
                &call.below(url),
                Fact::Text("server".to_owned()),
                server.clone(),
                &at,
            );
        }
        for (name, scheme) in members(&document["components"], "securitySchemes") {
            let at = step("/components/securitySchemes", name);
            facts.add(&call, Fact::Scheme(name.to_owned()), true, &at);
            let node = Node::new(Side::Call, step("/scheme", name));
            for key in ["type", "scheme", "in", "name", "flows", "openIdConnectUrl"] {
                facts.add(
                    &node,
                    Fact::SchemeMember(name.to_owned(), key),
                    scheme[key].clone(),
                    &at,
                );
            }
            facts.texts(&node, scheme, &at, &["description", "bearerFormat"]);
        }
        facts
    }

    /// Everything that a call of the operation depends on.
    pub(super) fn of_operation(document: &'a Value, place: &Place<'a>, aliases: &Aliases) -> Self {
        let mut facts = Self::new(document, aliases);
        let (about, call) = (place.value, Node::new(Side::Call, ""));
        let at = |member: &str| step(&place.pointer, member);
        facts.add(&call, Fact::Path, place.call.as_str(), &place.pointer);
        facts.add(&call, Fact::Id, place.id, &at("operationId"));
        facts.add(&call, Fact::Security, json!(alternatives(about)), &at("security"));
        for consumer in list(about, "x-consumers").filter_map(Value::as_str) {
            facts.add(
                &call,
                Fact::Consumer(consumer.to_owned()),
                true,
                &at("x-consumers"),
            );
        }
        // `x-idempotent` lets the client repeat a call that failed, `x-send-once` forbids even what is safe for others.
        for (key, repeats) in [("x-idempotent", true), ("x-send-once", false)] {
            let place = about.get(key).map(|_| at(key));
            let value = json!(is_true(about, key) == repeats);
            facts
                .node(&call)
                .insert(Fact::Repeats(key), Entry { value, place });
        }
        facts.texts(
            &call,
            about,
            &place.pointer,
            &[
                "summary",
                "description",
                "tags",
                "deprecated",
                "x-evidence",
                "x-basic-evidence",
                "x-source",
                "x-permission",
                "x-vendor-operation-id",
            ],
        );
        facts.parameters(about, &at("parameters"));
        facts.body(about, at("requestBody"));
        facts.responses(about, &at("responses"));
        while let Some((node, schema, at, owner)) = facts.uses.pop_front() {
            facts.owner = owner;
            facts.schema(&node, schema, &at);
        }
        facts
    }

    /// The types that stand here and in `after` at the same places, under names that the other document does not have.
    pub(super) fn renamed_in(&self, after: &Self, known: &Aliases) -> Aliases {
        let mut found = Aliases::new();
        for (place, old) in &self.types {
            if let Some(new) = after.types.get(place)
                && new != old
                && !self.nodes.contains_key(new)
                && !after.nodes.contains_key(old)
                && !known.contains_key(new)
                && !found.values().any(|taken| taken == old)
            {
                found.entry(new.clone()).or_insert_with(|| old.clone());
            }
        }
        found
    }

    fn node(&mut self, node: &Node) -> &mut BTreeMap<Fact, Entry> {
        self.nodes.entry(node.clone()).or_default()
    }

    fn add(&mut self, node: &Node, fact: Fact, value: impl Into<Value>, at: &str) {
        let entry = Entry {
            value: value.into(),
            place: Some(at.to_owned()),
        };
        self.node(node).insert(fact, entry);
    }

    fn visit(&mut self, node: Node, schema: &'a Value, at: String) {
        let owner = self.owner.clone();
        self.uses.push_back((node, schema, at, owner));
    }

    fn texts(&mut self, node: &Node, owner: &Value, at: &str, names: &[&str]) {
        for name in names {
            if let Some(text) = owner.get(*name) {
                self.add(
                    node,
                    Fact::Text((*name).to_owned()),
                    text.clone(),
                    &step(at, name),
                );
            }
        }
    }

    fn parameters(&mut self, operation: &'a Value, at: &str) {
        let request = Node::new(Side::Request, "");
        self.node(&request);
        for (index, parameter) in list(operation, "parameters").enumerate() {
            let (parameter, at) = located(self.document, parameter, step(at, &index.to_string()));
            let (location, mut name) = (text(parameter, "in"), text(parameter, "name").to_owned());
            if location == "header" {
                name.make_ascii_lowercase();
            }
            let label = format!("{location} parameter `{name}`");
            let node = request.below(&label);
            self.add(
                &request,
                Fact::Part(label.clone()),
                is_true(parameter, "required"),
                &at,
            );
            let style = json!([parameter.get("style"), parameter.get("explode")]);
            self.add(&node, Fact::Style(label), style, &at);
            self.texts(&node, parameter, &at, &["description", "example", "deprecated"]);
            if let Some(schema) = parameter.get("schema") {
                self.visit(node.below("schema"), schema, step(&at, "schema"));
            }
        }
    }

    fn body(&mut self, operation: &'a Value, at: String) {
        let Some(body) = operation.get("requestBody") else {
            return;
        };
        let (body, at) = located(self.document, body, at);
        let request = Node::new(Side::Request, "");
        self.add(
            &request,
            Fact::Part("body".to_owned()),
            is_true(body, "required"),
            &at,
        );
        self.content(&request.below("body"), "body", "body's description", body, &at);
    }

    fn responses(&mut self, operation: &'a Value, at: &str) {
        let response = Node::new(Side::Response, "");
        self.node(&response);
        for (status, answer) in members(operation, "responses") {
            let (answer, at) = located(self.document, answer, step(at, status));
            let label = format!("status {status}");
            self.add(&response, Fact::Status(status.to_owned()), true, &at);
            self.content(&response.below(&label), &label, &label, answer, &at);
        }
    }

    /// Bodies by media type, of a request or of an answer.
    fn content(&mut self, node: &Node, label: &str, description: &str, owner: &'a Value, at: &str) {
        if let Some(text) = owner.get("description") {
            self.add(node, Fact::Text(description.to_owned()), text.clone(), at);
        }
        let content = members(owner, "content");
        self.add(node, Fact::Content(label.to_owned()), !content.is_empty(), at);
        for (media_type, media) in content {
            let at = step(&step(at, "content"), media_type);
            let all = node.below("content");
            let node = all.below(media_type);
            self.add(
                &all,
                Fact::Media(label.to_owned(), media_type.to_owned()),
                true,
                &at,
            );
            self.texts(&node, media, &at, &["example"]);
            self.add(
                &node,
                Fact::Schema(label.to_owned()),
                media.get("schema").is_some(),
                &at,
            );
            if let Some(schema) = media.get("schema") {
                self.visit(node.below("schema"), schema, step(&at, "schema"));
            }
        }
    }

    /// The facts of a place where a schema is used, and of its type.
    fn schema(&mut self, node: &Node, schema: &'a Value, at: &str) {
        let Some(view) = view(self.document, schema, at) else {
            return;
        };
        self.add(node, Fact::TypeName, view.name.clone(), &view.pointer);
        self.add(node, Fact::Nullable, view.nullable, at);
        self.add(node, Fact::Unit, view.unit.cloned().unwrap_or_default(), at);
        if let Some(text) = view.description {
            self.add(node, Fact::Text("description".to_owned()), text.clone(), at);
        }
        let own = match &view.name {
            Some(name) => Node::new(node.side, format!("#{name}")),
            None => node.below("type"),
        };
        let own = self.aliases.get(&own).cloned().unwrap_or(own);
        self.types.insert(node.clone(), own.clone());
        let first = match view.name {
            Some(_) => {
                self.owner.clone_from(&own.path);
                true
            }
            None => self
                .seen
                .insert((node.side, self.owner.clone(), view.pointer.clone())),
        };
        if first && !self.nodes.contains_key(&own) {
            self.kind(&own, &view);
        }
    }

    /// The facts of a type. They lie below its kind, so that a type that is no longer an object has no removed fields.
    fn kind(&mut self, node: &Node, view: &View<'a>) {
        let (schema, at) = (view.schema, view.pointer.as_str());
        let kind = kind_of(schema);
        self.add(node, Fact::Kind, kind.as_str(), at);
        let node = node.below(&kind);
        let open = schema.get("x-open") == Some(&Value::Bool(true));
        self.add(&node, Fact::Open, open, at);
        let listed = open_alternative(schema).or(schema.get("enum"));
        let values = listed.and_then(Value::as_array);
        self.add(&node, Fact::Listed, values.is_some(), at);
        if let Some(values) = values {
            let list = node.below("values");
            self.node(&list);
            for value in values {
                self.add(&list, Fact::Value(value.to_string()), json!({"open": open}), at);
            }
        }
        let fields = Fields::of(self.document, view);
        for (name, (at, field)) in fields.all {
            let required = fields.required.contains(&name);
            self.add(&node, Fact::Part(format!("field `{name}`")), required, &at);
            self.visit(node.below("fields").below(&name), field, at);
        }
        self.further(&node, schema, at);
        self.limits(&node, schema, at);
        let texts = ["description", "example", "deprecated", "readOnly", "writeOnly"];
        for name in texts {
            if let Some(text) = schema.get(name) {
                self.add(&node, Fact::Text(name.to_owned()), text.clone(), at);
            }
        }
    }

    /// The types that a type is made of, beside its fields.
    fn further(&mut self, node: &Node, schema: &'a Map<String, Value>, at: &str) {
        for keyword in ["oneOf", "anyOf"] {
            // Values that are listed beside any other value are not alternatives.
            let variants = if open_alternative(schema).is_some() {
                BTreeMap::new()
            } else {
                variants(schema, keyword)
            };
            for (label, (index, variant)) in variants {
                let at = step(&step(at, keyword), &index.to_string());
                let node = node.below(keyword);
                self.add(&node, Fact::Variant(label.clone()), true, &at);
                self.visit(node.below(&label), variant, at);
            }
            self.node(&node.below(keyword));
        }
        let additional = schema.get("additionalProperties");
        let typed = additional.filter(|further| further.is_object());
        let value = typed.map_or_else(|| additional.cloned().unwrap_or_default(), |_| json!("typed"));
        self.add(node, Fact::Additional, value, at);
        for (keyword, schema) in [("additionalProperties", typed), ("items", schema.get("items"))] {
            if let Some(schema) = schema {
                self.visit(node.below(keyword), schema, step(at, keyword));
            }
        }
    }

    fn limits(&mut self, node: &Node, schema: &Map<String, Value>, at: &str) {
        for key in [
            "minimum",
            "minLength",
            "minItems",
            "minProperties",
            "maximum",
            "maxLength",
            "maxItems",
            "maxProperties",
        ] {
            let limit = schema.get(key).and_then(Value::as_f64);
            self.add(node, Fact::Limit(key), limit, at);
        }
        for key in [
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "uniqueItems",
        ] {
            let rule = schema.get(key).cloned().unwrap_or(Value::Bool(false));
            self.add(node, Fact::Rule(key), rule, at);
        }
        let names = schema.get("x-reserved-names").and_then(Value::as_array);
        for name in names.into_iter().flatten().filter_map(Value::as_str) {
            self.add(node, Fact::Reserved(name.to_owned()), true, at);
        }
    }
}

/// The sets of credentials that a call can be made with; the empty one if it needs none.
fn alternatives(operation: &Value) -> BTreeSet<BTreeSet<String>> {
    let schemes = list(operation, "security").filter_map(Value::as_object);
    let mut alternatives: BTreeSet<BTreeSet<String>> =
        schemes.map(|one| one.keys().cloned().collect()).collect();
    if alternatives.is_empty() {
        alternatives.insert(BTreeSet::new());
    }
    alternatives
}

fn list<'a>(owner: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    owner.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn members<'a>(owner: &'a Value, key: &str) -> Vec<(&'a str, &'a Value)> {
    let members = owner.get(key).and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, member)| (name.as_str(), member)).collect()
}

fn text<'a>(owner: &'a Value, key: &str) -> &'a str {
    owner.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}
