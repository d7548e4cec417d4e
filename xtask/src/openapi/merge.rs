//! Joins the parts of several documents into one, in which each name has one meaning.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::config::{OperationKey, Selection};
use super::failure::{Result, fail};
use super::grammar::{self, Kind};
use super::reference::Reference;
use super::sanitize;

/// The result while sources are added to it.
pub(super) struct Merger<'a> {
    selection: &'a Selection,
    paths: Map<String, Value>,
    components: BTreeMap<String, BTreeMap<String, (Value, String)>>,
    tags: Vec<Value>,
}

impl<'a> Merger<'a> {
    pub(super) fn new(selection: &'a Selection) -> Self {
        Self {
            selection,
            paths: Map::new(),
            components: BTreeMap::new(),
            tags: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, mut part: Value, source: &str, notices: &mut Vec<String>) -> Result<()> {
        sanitize::strip(&mut part, source, notices)?;
        let selection = self.selection;
        let mut rename = |_: Kind, pointer: &str, object: &mut Map<String, Value>| -> Result<()> {
            if let Some(target) = Reference::of(object, pointer)? {
                let name = selection.component_name(source, &target.name);
                object.insert(
                    "$ref".to_owned(),
                    json!(Reference::new(&target.section, name).text()),
                );
            }
            Ok(())
        };
        grammar::walk(&mut part, Kind::Document, "", &mut rename)?;
        for (section, entries) in members(&mut part["components"]) {
            for (name, component) in members(&mut entries.clone()) {
                let renamed = if section == "securitySchemes" {
                    name.clone()
                } else {
                    selection.component_name(source, &name).to_owned()
                };
                self.add_component(&section, renamed, component, &format!("{source}:{name}"))?;
            }
        }
        for (path, item) in members(&mut part["paths"]) {
            let entry = self.paths.entry(path).or_insert_with(|| json!({}));
            for (method, operation) in members(&mut item.clone()) {
                entry[&method] = operation;
            }
        }
        for tag in part["tags"].as_array_mut().into_iter().flatten() {
            if !self.tags.iter().any(|known| known["name"] == tag["name"]) {
                self.tags.push(tag.take());
            }
        }
        Ok(())
    }

    fn add_component(&mut self, section: &str, name: String, component: Value, origin: &str) -> Result<()> {
        let entries = self.components.entry(section.to_owned()).or_default();
        if let Some((known, first)) = entries.get(&name)
            && !same(section, known, &component)
        {
            fail!(
                "components/{section}/{name} is not the same in `{first}` and `{origin}`: give one of them another name, \
                 in selection.toml under [rename], as \"{origin}\" = \"…\""
            );
        }
        entries
            .entry(name)
            .or_insert_with(|| (component, origin.to_owned()));
        Ok(())
    }

    pub(super) fn finish(mut self, located: &[(&OperationKey, usize)]) -> Value {
        let mut paths = Map::new();
        for (key, _) in located {
            let entry = paths.entry(&key.path).or_insert_with(|| json!({}));
            entry[&key.method] = self
                .paths
                .get_mut(&key.path)
                .map(|item| item[&key.method].take())
                .unwrap_or_default();
        }
        let mut components = Map::new();
        for (section, entries) in self.components {
            let entries: Map<String, Value> = entries
                .into_iter()
                .map(|(name, (entry, _))| (name, entry))
                .collect();
            components.insert(section, Value::Object(entries));
        }
        let (info, servers) = self.selection.head();
        json!({
            "openapi": "3.0.3",
            "info": info,
            "servers": servers,
            "tags": self.tags,
            "paths": paths,
            "components": components,
        })
    }
}

/// Whether two components of one name are the same. Descriptions of security schemes may differ.
fn same(section: &str, a: &Value, b: &Value) -> bool {
    let wordless = |scheme: &Value| {
        let mut scheme = scheme.clone();
        scheme.as_object_mut().map(|scheme| scheme.remove("description"));
        scheme
    };
    a == b || (section == "securitySchemes" && wordless(a) == wordless(b))
}

fn members(value: &mut Value) -> Vec<(String, Value)> {
    value
        .as_object_mut()
        .map(std::mem::take)
        .into_iter()
        .flatten()
        .collect()
}
