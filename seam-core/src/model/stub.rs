//! Temporary.
#![allow(missing_docs)]
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    starts_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
}
impl Window {
    pub fn starts_at(&self) -> DateTime<Utc> {
        self.starts_at
    }
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.ends_at
    }
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weekly {}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessMethodMode {
    Code,
    Card,
    MobileKey,
    CloudKey,
    Other(String),
}
