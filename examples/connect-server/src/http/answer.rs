//! What a route answers: `{"<key>": ..., "ok": true}`.
use super::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use seam_core::model::Page;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// What a handler gives.
pub type Outcome = Result<Answer, Problem>;

/// A success, written already: what is answered is written once, without a tree in between.
#[derive(Debug)]
pub struct Answer(Vec<u8>);

impl Answer {
    /// Done; there is nothing to say.
    ///
    /// # Errors
    /// `internal_error`: it could not be written.
    pub fn done() -> Outcome {
        Self::written(&One { key: None::<(&str, &())> })
    }
    /// One thing, or a list of things, under its key.
    ///
    /// # Errors
    /// `internal_error`: it could not be written.
    pub fn of(key: &'static str, thing: &impl Serialize) -> Outcome {
        Self::written(&One { key: Some((key, thing)) })
    }
    /// The same thing under two names: the present one, and the one that older clients read.
    ///
    /// # Errors
    /// `internal_error`: it could not be written.
    pub fn both(keys: [&'static str; 2], thing: &impl Serialize) -> Outcome {
        Self::written(&Twice { keys, thing })
    }
    /// A page of things, with what leads on.
    ///
    /// # Errors
    /// `internal_error`: it could not be written.
    pub fn page<T: Serialize>(key: &'static str, page: &Page<T>) -> Outcome {
        Self::written(&Paged { key, page })
    }
    fn written(envelope: &impl Serialize) -> Outcome {
        serde_json::to_vec(envelope).map(Self).map_err(|e| {
            tracing::error!(error = %e, "an answer could not be written");
            Problem::internal()
        })
    }
    /// The answer on the wire.
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.0));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

struct One<'a, T> {
    key: Option<(&'static str, &'a T)>,
}

impl<T: Serialize> Serialize for One<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some((key, thing)) = self.key {
            map.serialize_entry(key, thing)?;
        }
        map.serialize_entry("ok", &true)?;
        map.end()
    }
}

struct Twice<'a, T> {
    keys: [&'static str; 2],
    thing: &'a T,
}

impl<T: Serialize> Serialize for Twice<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        for key in self.keys {
            map.serialize_entry(key, self.thing)?;
        }
        map.serialize_entry("ok", &true)?;
        map.end()
    }
}

struct Paged<'a, T> {
    key: &'static str,
    page: &'a Page<T>,
}

impl<T: Serialize> Serialize for Paged<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry(self.key, &self.page.items)?;
        map.serialize_entry("pagination", &self.page.pagination)?;
        map.serialize_entry("ok", &true)?;
        map.end()
    }
}
