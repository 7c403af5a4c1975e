//! Parameters: from a query or a body, by the schema of the route.
//!
//! The official clients write a query so: members in the order of their names; an array as a key that comes again and again; an empty array, or
//! null, as `key=`; what lies inside an object as `outer.inner=`; `_strict=true` beside all that, which is no parameter. A query says nothing of
//! types, so it is read by the schema. Parameters that a route does not know are passed over: clients are newer than servers.
use super::problem::{Faults, Problem};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The parameters of a route: their schema, and what checks them against it.
#[derive(Debug)]
pub struct Params {
    schema: Value,
    validator: jsonschema::Validator,
}

impl Params {
    /// The parameters that a type describes.
    ///
    /// # Panics
    /// The schema is none: a mistake in the program, seen at its start.
    #[must_use]
    pub fn of<P: JsonSchema>() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        let schema = settings.into_generator().into_root_schema_for::<P>().to_value();
        #[expect(clippy::expect_used, reason = "a schema that a derive made; the start of the program tells")]
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
        Self { schema, validator }
    }

    /// Their schema.
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// What a query says.
    #[must_use]
    pub fn from_query(&self, query: &str) -> Value {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in form_pairs(query).filter(|(key, _)| key != "_strict") {
            values.entry(key).or_default().push(value);
        }
        let mut top = Map::new();
        for (key, values) in &values {
            put(&mut top, &self.schema, key, &values.iter().map(String::as_str).collect::<Vec<_>>());
        }
        Value::Object(top)
    }

    /// What was asked, checked and typed.
    ///
    /// # Errors
    /// `invalid_input`, with what is wrong with which parameter.
    pub fn read<P: DeserializeOwned>(&self, asked: Value) -> Result<P, Problem> {
        // Nearly always it is: whether it is costs a part of saying what is wrong.
        if !self.validator.is_valid(&asked) {
            let mut faults = Faults::default();
            self.validator.iter_errors(&asked).for_each(|error| tell(&mut faults, &error));
            return Err(faults.into());
        }
        serde_json::from_value(asked).map_err(|e| {
            // The schema let it through and the type did not: an instant that no calendar has, say.
            let mut faults = Faults::default();
            faults.add(&[], e.to_string());
            faults.into()
        })
    }
}

/// The pairs of a form-urlencoded text.
pub fn form_pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(key), unescape(value))
    })
}

/// `+` is a blank, `%41` is `A`; what is not UTF-8 then is replaced, and fails as whatever it was to be.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut ahead = bytes.clone();
                match (digit(ahead.next()), digit(ahead.next())) {
                    (Some(high), Some(low)) => {
                        out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                        bytes = ahead;
                    }
                    _ => out.push(b'%'),
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Puts the values of one key where the schema has it.
fn put(into: &mut Map<String, Value>, schema: &Value, key: &str, values: &[&str]) {
    let member = |name: &str| schema.pointer("/properties").and_then(|all| all.get(name));
    if let Some(schema) = member(key) {
        into.insert(key.to_owned(), typed(schema, values));
        return;
    }
    if is_free(schema) {
        into.insert(key.to_owned(), free(values));
        return;
    }
    if let Some((outer, inner)) = key.split_once('.')
        && let Some(schema) = member(outer)
        && let Value::Object(map) = into.entry(outer).or_insert_with(|| Value::Object(Map::new()))
    {
        put(map, object_of(schema), inner, values);
    }
}

/// Whether the members of an object are the caller's own: metadata.
fn is_free(schema: &Value) -> bool {
    schema.get("properties").is_none() && schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false))
}

/// The value of a member that no schema knows: metadata are texts, true and false.
fn free(values: &[&str]) -> Value {
    match values {
        ["true"] => Value::Bool(true),
        ["false"] => Value::Bool(false),
        [one] => Value::from(*one),
        values => values.iter().map(|v| Value::from(*v)).collect(),
    }
}

/// Whether a schema allows a type.
fn allows(schema: &Value, kind: &str) -> bool {
    let here = match schema.get("type") {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(some)) => some.iter().any(|t| t == kind),
        _ => false,
    };
    here || branches(schema).any(|s| allows(s, kind))
}

fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

/// The part of a schema that describes an object.
fn object_of(schema: &Value) -> &Value {
    if schema.get("properties").is_some() {
        return schema;
    }
    branches(schema).find(|s| s.get("properties").is_some()).unwrap_or(schema)
}

fn items_of(schema: &Value) -> Option<&Value> {
    schema.get("items").or_else(|| branches(schema).find_map(|s| s.get("items")))
}

/// The values of a key, as the schema has them.
fn typed(schema: &Value, values: &[&str]) -> Value {
    if allows(schema, "array") {
        return match values {
            [""] => Value::Array(Vec::new()),
            values => values.iter().map(|v| items_of(schema).map_or_else(|| (*v).into(), |items| scalar(items, v))).collect(),
        };
    }
    match values {
        [one] => scalar(schema, one),
        // A key that comes again where one value is meant is wrong, as the schema will say.
        values => values.iter().map(|v| Value::from(*v)).collect(),
    }
}

fn scalar(schema: &Value, text: &str) -> Value {
    // `key=` is null for a text that may be null. For a number or a flag it is nothing that could be meant.
    if text.is_empty() && allows(schema, "null") && allows(schema, "string") {
        return Value::Null;
    }
    if allows(schema, "boolean") && matches!(text, "true" | "false") {
        return Value::Bool(text == "true");
    }
    if allows(schema, "integer") || allows(schema, "number") {
        let whole = text.parse::<i64>().ok().map(Value::from);
        let broken = || text.parse::<f64>().ok().map(Value::from);
        if let Some(number) = whole.or_else(broken) {
            return number;
        }
    }
    text.into()
}

/// What a fault is called.
///
/// A member that may be null is a choice of two in its schema; what is told is what is wrong with the one that was meant.
fn tell(faults: &mut Faults, error: &jsonschema::ValidationError<'_>) {
    let path = error.instance_path().as_str().to_owned();
    let mut path: Vec<&str> = path.split('/').skip(1).collect();
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let Some(name) = property.as_str() else { return };
            path.push(name);
            faults.add(&path, "Required".to_owned());
            return;
        }
        ValidationErrorKind::Type { kind } => format!("Expected {}, received {}", kinds(kind), kind_of(error.instance())),
        ValidationErrorKind::Format { format } => format!("Invalid {}", if format == "date-time" { "datetime" } else { format.as_str() }),
        ValidationErrorKind::MinLength { limit } => format!("String must contain at least {limit} character(s)"),
        ValidationErrorKind::MaxLength { limit } => format!("String must contain at most {limit} character(s)"),
        ValidationErrorKind::MinItems { limit } => format!("Array must contain at least {limit} element(s)"),
        ValidationErrorKind::MaxItems { limit } => format!("Array must contain at most {limit} element(s)"),
        ValidationErrorKind::Minimum { limit } => format!("Number must be greater than or equal to {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("Number must be less than or equal to {limit}"),
        ValidationErrorKind::Enum { options } => format!("Invalid enum value. Expected one of {options}"),
        ValidationErrorKind::Constant { expected_value } => format!("Invalid literal value, expected {expected_value}"),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let whole = error.instance_path();
            let wrong_kind =
                |e: &jsonschema::ValidationError<'_>| matches!(e.kind(), ValidationErrorKind::Type { .. }) && e.instance_path() == whole;
            let meant = context.iter().find(|branch| !branch.iter().any(wrong_kind)).or(context.first());
            for inner in meant.into_iter().flatten() {
                tell(faults, inner);
            }
            return;
        }
        // Patterns and the like. The value itself is not repeated: it may be a PIN.
        _ => "Invalid".to_owned(),
    };
    faults.add(&path, message);
}

fn kinds(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        // That it may be null as well helps nobody who sent something else.
        TypeKind::Multiple(some) => {
            let names: Vec<String> = some.iter().map(|t| t.to_string()).filter(|name| name != "null").collect();
            names.join(" or ")
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// For a member that may be left out, null, or a value: absent is `None`, null is `Some(None)`.
///
/// # Errors
/// What the value's own reader says.
pub fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Inner {
        #[serde(default)]
        deep: Option<bool>,
    }
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Asked {
        #[serde(default)]
        ids: Vec<uuid::Uuid>,
        #[serde(default, deserialize_with = "given")]
        key: Option<Option<String>>,
        #[serde(default)]
        limit: Option<u32>,
        #[serde(default)]
        salto: Option<Inner>,
        #[serde(default)]
        #[expect(dead_code, reason = "only its schema is of interest")]
        metadata: Map<String, Value>,
        #[schemars(length(min = 1))]
        #[serde(default)]
        name: String,
    }

    fn query(text: &str) -> Value {
        Params::of::<Asked>().from_query(text)
    }

    #[test]
    fn a_query_is_read_as_the_clients_write_it() {
        let id = "0193f3a4-0000-7000-8000-000000000001";
        assert_eq!(query(&format!("_strict=true&ids={id}")), json!({"ids": [id]}));
        assert_eq!(query(&format!("ids={id}&ids={id}&_strict=true")), json!({"ids": [id, id]}));
        assert_eq!(query("ids=&key="), json!({"ids": [], "key": null}));
        assert_eq!(query("limit=12&salto.deep=true"), json!({"limit": 12, "salto": {"deep": true}}));
        assert_eq!(
            query("metadata.floor=3&metadata.vip=true&metadata.a.b=x"),
            json!({"metadata": {"floor": "3", "vip": true, "a.b": "x"}})
        );
        assert_eq!(query("name=a+b%20c%C3%A9&unknown=1"), json!({"name": "a b cé"}));
        assert_eq!(query("name=%zz%4"), json!({"name": "%zz%4"}));
        assert_eq!(query("limit=1&limit=2"), json!({"limit": ["1", "2"]}));
        assert_eq!(query(""), json!({}));
    }

    #[test]
    fn null_and_absent_are_two_things() {
        let params = Params::of::<Asked>();
        let absent: Asked = params.read(json!({"name": "x"})).expect("valid");
        let null: Asked = params.read(json!({"name": "x", "key": null})).expect("valid");
        assert_eq!((absent.key, null.key), (None, Some(None)));
        assert!(absent.ids.is_empty() && absent.limit.is_none() && absent.salto.is_none_or(|s| s.deep.is_none()));
        assert_eq!(absent.name, "x");
    }

    #[test]
    fn what_is_wrong_is_told_where_it_is() {
        let params = Params::of::<Asked>();
        let told = |asked: Value| params.read::<Asked>(asked).expect_err("invalid").validation.expect("a tree");
        assert_eq!(told(json!({"ids": ["x"]}))["ids"]["0"]["_errors"], json!(["Invalid uuid"]));
        assert_eq!(told(json!({"limit": "many"}))["limit"]["_errors"][0], json!("Expected integer, received string"));
        assert_eq!(told(json!({"name": ""}))["name"]["_errors"], json!(["String must contain at least 1 character(s)"]));
    }
}
