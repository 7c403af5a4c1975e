//! Settings against a provider's schema: what a form can be told before anything is opened.
use serde_json::Value;

/// What is wrong with settings, by the member that is wrong. The content is never repeated: it may be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFault {
    /// The member, as `server.port`; empty for the whole.
    pub path: String,
    /// One sentence.
    pub message: String,
}

/// Checks settings against a JSON schema, as far as settings forms need it: `type`, `required`, `properties`, `additionalProperties: false`, `enum`,
/// `const`, `minLength`, `maxLength`, `minimum`, `maximum`, `minItems`, `maxItems`, `items`. What a schema says beyond that is for the provider's
/// [`open`](super::ProviderFactory::open) to refuse.
#[must_use]
pub fn check_settings(schema: &Value, settings: &Value) -> Vec<SettingsFault> {
    let mut faults = Vec::new();
    check(schema, settings, "", &mut faults);
    faults
}

fn check(schema: &Value, value: &Value, path: &str, faults: &mut Vec<SettingsFault>) {
    let mut fault = |message: String| faults.push(SettingsFault { path: path.to_owned(), message });
    if let Some(wanted) = schema.get("type") {
        let names: Vec<&str> =
            wanted.as_array().map_or_else(|| wanted.as_str().into_iter().collect(), |all| all.iter().filter_map(Value::as_str).collect());
        if !names.iter().any(|name| is(name, value)) {
            return fault(format!("it is not of the type {}", names.join(" or ")));
        }
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        return fault("it is none of the values that are possible".to_owned());
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return fault("it is not the value that is possible".to_owned());
    }
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let size = match value {
        Value::String(text) => Some((text.chars().count() as f64, "minLength", "maxLength", "characters")),
        Value::Array(items) => Some((items.len() as f64, "minItems", "maxItems", "items")),
        Value::Number(number) => number.as_f64().map(|n| (n, "minimum", "maximum", "")),
        _ => None,
    };
    if let Some((size, least, most, unit)) = size {
        if let Some(least) = limit(least).filter(|least| size < *least) {
            fault(format!("it is less than {least} {unit}").trim_end().to_owned());
        }
        if let Some(most) = limit(most).filter(|most| size > *most) {
            fault(format!("it is more than {most} {unit}").trim_end().to_owned());
        }
    }
    match value {
        Value::Object(members) => {
            let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(name) {
                    faults.push(SettingsFault { path: at(name), message: "it is missing".to_owned() });
                }
            }
            let known = schema.get("properties").and_then(Value::as_object);
            for (name, member) in members {
                match known.and_then(|known| known.get(name)) {
                    Some(schema) => check(schema, member, &at(name), faults),
                    None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                        let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
                        faults.push(SettingsFault { path: at(&name), message: "it is not known".to_owned() });
                    }
                    None => {}
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (i, item) in items.iter().enumerate() {
                    check(schema, item, &format!("{path}[{i}]"), faults);
                }
            }
        }
        _ => {}
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_told_what_is_wrong_with_them() {
        let schema = json!({
            "type": "object",
            "required": ["host", "port"],
            "additionalProperties": false,
            "properties": {
                "host": {"type": "string", "minLength": 1, "maxLength": 5},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "mode": {"enum": ["a", "b"]},
                "doors": {"type": "array", "maxItems": 2, "items": {"type": "object", "required": ["id"]}},
            },
        });
        let paths = |settings: Value| check_settings(&schema, &settings).into_iter().map(|f| f.path).collect::<Vec<_>>();
        assert!(paths(json!({"host": "h", "port": 443, "mode": "b", "doors": [{"id": 1}]})).is_empty());
        assert_eq!(paths(json!([])), [""]);
        assert_eq!(paths(json!({})), ["host", "port"]);
        assert_eq!(paths(json!({"host": "", "port": 0})), ["host", "port"]);
        assert_eq!(paths(json!({"host": "123456", "port": 65536})), ["host", "port"]);
        assert_eq!(paths(json!({"host": 1, "port": "443", "mode": "c"})), ["host", "mode", "port"]);
        assert_eq!(paths(json!({"host": "h", "port": 1.5, "else": 1})), ["else", "port"]);
        assert_eq!(paths(json!({"host": "h", "port": 1, "doors": [{}, {"id": 1}, {}]})), ["doors", "doors[0].id", "doors[2].id"]);
        let secret = check_settings(&schema, &json!({"host": "hunter2hunter2", "port": 1}));
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
