//! The description of the routes, made of the routes: what is described is what is checked.
mod objects;

use crate::http::route::{Gives, Route, Verb};
use serde_json::{Map, Value, json};

/// The OpenAPI document of some routes.
#[must_use]
pub fn document(routes: &[Route], server: &str) -> Value {
    let paths: Map<String, Value> = routes.iter().map(|route| (route.path.to_owned(), path(route))).collect();
    let mut schemas: Map<String, Value> =
        objects::OBJECTS.iter().map(|(name, about, members)| ((*name).to_owned(), object(about, members))).collect();
    schemas.insert("problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Connect server",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Grant people access to physical places: one call says who, where, when and how.",
            "description": "Compatible with the clients of the public Seam API. Every route also takes POST with a JSON body; a query writes a list as \
                            a key that comes again, an empty list or null as `key=`, and what lies in an object as `outer.inner=`.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": [{"api_key": []}],
        "tags": tags(routes),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"api_key": {"type": "http", "scheme": "bearer", "description": "An API key (`seam_...`)."}},
        },
    })
}

/// The resource of a path: all but its last part.
fn resource(path: &str) -> String {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    parts.split_last().map(|(_, rest)| rest.join("/")).unwrap_or_default()
}

fn tags(routes: &[Route]) -> Vec<Value> {
    let mut names: Vec<String> = Vec::new();
    for name in routes.iter().map(|r| resource(r.path)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| json!({"name": name})).collect()
}

fn path(route: &Route) -> Value {
    let mut item = Map::new();
    let id = route.path.trim_start_matches('/').replace('/', "_");
    item.insert("post".to_owned(), operation(route, &format!("{id}_post"), false));
    if route.verb != Verb::Do {
        let method = route.verb.method().as_str().to_ascii_lowercase();
        item.insert(method, operation(route, &id, matches!(route.verb, Verb::Read | Verb::Remove)));
    }
    Value::Object(item)
}

fn operation(route: &Route, id: &str, by_query: bool) -> Value {
    let schema = tidy(route.params.schema());
    let mut operation = json!({
        "operationId": id,
        "summary": route.about,
        "tags": [resource(route.path)],
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": answer(route.gives)}}},
            "default": {"description": "What went wrong.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/problem"}}}},
        },
    });
    if by_query {
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let members = schema["properties"].as_object().cloned().unwrap_or_default();
        operation["parameters"] = members
            .into_iter()
            .map(|(name, schema)| {
                let required = required.contains(&name.as_str());
                json!({"name": name, "in": "query", "required": required, "style": "form", "explode": true, "schema": schema})
            })
            .collect();
    } else {
        operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
    }
    operation
}

/// A schema without what says nothing to a reader: its own dialect, names of types inside the program.
fn tidy(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(map) = &mut schema {
        map.remove("$schema");
        map.remove("title");
    }
    schema
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn answer(gives: Gives) -> Value {
    let mut members = match gives {
        Gives::Nothing => json!({}),
        Gives::One(name) => json!({name: reference(name)}),
        Gives::Many(key, name) => json!({key: {"type": "array", "items": reference(name)}}),
        Gives::Pages(key, name) => json!({key: {"type": "array", "items": reference(name)}, "pagination": reference("pagination")}),
        Gives::Batch => json!({"batch": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "object"}}}}),
        Gives::Own(key) => json!({key: {"type": "object"}}),
    };
    members["ok"] = json!({"const": true});
    let required: Vec<String> = members.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    json!({"type": "object", "required": required, "properties": members})
}

/// An object from its short form.
fn object(about: &str, members: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, kind) in members.split_whitespace().filter_map(|member| member.split_once(':')) {
        let optional = name.strip_suffix('?');
        if optional.is_none() {
            required.push(name);
        }
        properties.insert(optional.unwrap_or(name).to_owned(), typed(kind));
    }
    json!({"type": "object", "description": about, "required": required, "properties": properties})
}

fn typed(kind: &str) -> Value {
    if let Some(items) = kind.strip_prefix('[').and_then(|k| k.strip_suffix(']')) {
        return json!({"type": "array", "items": typed(items)});
    }
    if let Some(name) = kind.strip_prefix('$') {
        return reference(name);
    }
    let (kind, nullable) = kind.strip_suffix('~').map_or((kind, false), |kind| (kind, true));
    let (name, format) = match kind {
        "id" => ("string", Some("uuid")),
        "at" => ("string", Some("date-time")),
        "url" => ("string", Some("uri")),
        "bool" => ("boolean", None),
        "int" => ("integer", None),
        "obj" => ("object", None),
        _ => ("string", None),
    };
    let mut schema = if nullable { json!({"type": [name, "null"]}) } else { json!({"type": name}) };
    if let Some(format) = format {
        schema["format"] = format.into();
    }
    schema
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "An answer that is no success.",
        "required": ["ok", "error"],
        "properties": {
            "ok": {"const": false},
            "error": {
                "type": "object",
                "required": ["type", "message"],
                "properties": {
                    "type": {"type": "string", "description": "A stable name in snake case: branch on this."},
                    "message": {"type": "string", "description": "One sentence for a developer."},
                    "data": {"type": "object", "description": "Facts beside the message."},
                    "validation_errors": {"type": "object", "description": "With `invalid_input`: a tree of `_errors`, by parameter."},
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_that_a_route_gives_is_described() {
        let described: Vec<&str> = objects::OBJECTS.iter().map(|(name, ..)| *name).collect();
        for route in crate::routes::all() {
            if let Gives::One(name) | Gives::Many(_, name) | Gives::Pages(_, name) = route.gives {
                assert!(described.contains(&name), "{} gives {name}, which is not described", route.path);
            }
        }
        for (name, _, members) in objects::OBJECTS {
            for kind in members.split_whitespace().filter_map(|m| m.split_once(':')).map(|(_, kind)| kind.trim_matches(['[', ']', '~'])) {
                let known = ["id", "at", "str", "bool", "int", "url", "obj"].contains(&kind);
                let refers = kind.strip_prefix('$').is_some_and(|to| described.contains(&to));
                assert!(known || refers, "{name} has a member of the type {kind}");
            }
        }
    }

    #[test]
    fn no_route_is_there_twice_and_every_schema_is_one() {
        let routes = crate::routes::all();
        let mut paths: Vec<&str> = routes.iter().map(|r| r.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), routes.len());
        let document = document(&routes, "http://localhost");
        assert_eq!(document["paths"].as_object().map(Map::len), Some(routes.len()));
        let get = &document["paths"]["/access_grants/get"];
        assert!(get["post"]["requestBody"].is_object() && get["get"]["parameters"].is_array());
        let delete = &document["paths"]["/access_grants/delete"]["delete"]["parameters"][0];
        assert_eq!((delete["name"].as_str(), delete["required"].as_bool()), (Some("access_grant_id"), Some(true)));
    }
}
