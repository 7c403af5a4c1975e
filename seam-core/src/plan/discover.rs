//! stub
#![allow(unused_variables, missing_docs)]
use super::draft::Draft;
use super::read::Try;
use crate::model::*;
use crate::provider::*;
#[derive(Debug, Default)]
pub struct Scan {
    pub systems: Vec<ScannedSystem>,
}
#[derive(Debug)]
pub struct ScannedSystem {
    pub report: SystemReport,
    pub entrances: Option<Vec<EntranceReport>>,
    pub groups: Option<Vec<GroupReport>>,
    pub encoders: Option<Vec<EncoderReport>>,
    pub held: Option<Vec<Held>>,
}
pub(crate) fn apply_scan(d: &mut Draft<'_>, account: ConnectedAccountId, scan: &Result<Scan, Failure>) -> Try<()> {
    Ok(())
}
