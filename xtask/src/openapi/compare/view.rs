//! A schema as the generated types show it: references are followed, and wrappers of a single `allOf` are removed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::openapi::build_script::simplify::nullable_target;
use crate::openapi::grammar::step;
use crate::openapi::reference::Reference;

/// Longer than any chain of references in a real document; a circle ends here.
const MAX_STEPS: usize = 16;

/// More parts than any object has; it bounds the depth of the search for them.
const MAX_PARTS: usize = 1_000;

/// A schema behind its references and wrappers.
pub(super) struct View<'a> {
    /// Where the schema itself is, behind references.
    pub(super) pointer: String,
    /// The name of the type, if it has one of its own.
    pub(super) name: Option<String>,
    pub(super) schema: &'a Map<String, Value>,
    pub(super) nullable: bool,
    /// The description where the schema is used, which goes before that of the type.
    pub(super) description: Option<&'a Value>,
    pub(super) unit: Option<&'a Value>,
}

/// Follows a schema to what it is; nothing if it is not an object.
pub(super) fn view<'a>(document: &'a Value, value: &'a Value, pointer: &str) -> Option<View<'a>> {
    let mut schema = value.as_object()?;
    let mut view = View {
        pointer: pointer.to_owned(),
        name: None,
        schema,
        nullable: false,
        description: None,
        unit: None,
    };
    for _ in 0..MAX_STEPS {
        view.nullable |= schema.get("nullable") == Some(&Value::Bool(true));
        view.description = view.description.or_else(|| schema.get("description"));
        view.unit = view.unit.or_else(|| schema.get("x-unit"));
        if let Ok(Some(target)) = Reference::of(schema, pointer) {
            view.pointer = target.pointer();
            view.name = Some(target.name.clone());
            schema = target.get(document)?.as_object()?;
        } else if let Some(target) = nullable_target(schema) {
            view.nullable = true;
            view.pointer = step(&step(&view.pointer, "anyOf"), "0");
            schema = target.as_object()?;
        } else if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
            && !schema.contains_key("properties")
        {
            view.pointer = step(&step(&view.pointer, "allOf"), "0");
            schema = only.as_object()?;
        } else {
            break;
        }
    }
    view.schema = schema;
    Some(view)
}

/// The fields of an object, those of its `allOf` parts included.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) all: BTreeMap<String, (String, &'a Value)>,
    pub(super) required: BTreeSet<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(document: &'a Value, view: &View<'a>) -> Self {
        let mut fields = Self::default();
        // Parts that are made of each other many times over would take for ever; each is looked at once.
        let mut seen = BTreeSet::from([view.pointer.clone()]);
        fields.gather(document, view.schema, &view.pointer, &mut seen);
        fields
    }

    fn gather(
        &mut self,
        document: &'a Value,
        schema: &'a Map<String, Value>,
        pointer: &str,
        seen: &mut BTreeSet<String>,
    ) {
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        for (name, property) in properties {
            self.all
                .insert(name.clone(), (step(&step(pointer, "properties"), name), property));
        }
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        self.required
            .extend(required.filter_map(Value::as_str).map(str::to_owned));
        let parts = schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for (index, part) in parts.enumerate() {
            let at = step(&step(pointer, "allOf"), &index.to_string());
            if let Some(part) = view(document, part, &at)
                && seen.len() < MAX_PARTS
                && seen.insert(part.pointer.clone())
            {
                self.gather(document, part.schema, &part.pointer, seen);
            }
        }
    }
}

/// The type as the generated code has it.
pub(super) fn kind_of(schema: &Map<String, Value>) -> String {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    match (text("type"), text("format")) {
        (Some(name), Some(format)) => format!("{name} ({format})"),
        (Some(name), None) => name.to_owned(),
        (None, _) if schema.contains_key("oneOf") || schema.contains_key("anyOf") => {
            "one of several".to_owned()
        }
        (None, _) if schema.contains_key("allOf") || schema.contains_key("properties") => "object".to_owned(),
        (None, _) => "anything".to_owned(),
    }
}

/// The alternatives of a schema, by labels that do not depend on their order.
pub(super) fn variants<'a>(
    schema: &'a Map<String, Value>,
    keyword: &str,
) -> BTreeMap<String, (usize, &'a Value)> {
    let list = schema
        .get(keyword)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let (mut variants, mut counts) = (BTreeMap::new(), BTreeMap::new());
    for (index, variant) in list.enumerate() {
        let target = variant
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| target.rsplit('/').next());
        let label = match (target, variant.as_object()) {
            (Some(name), _) => format!("`{name}`"),
            (None, Some(variant)) => kind_of(variant),
            (None, None) => continue,
        };
        // Two of a kind are distinguished by their order.
        let count = counts.entry(label.clone()).or_insert(0_usize);
        *count += 1;
        let label = match *count {
            1 => label,
            count => format!("{label} ({count})"),
        };
        variants.insert(label, (index, variant));
    }
    variants
}
