#![doc = include_str!("docs.md")]
mod book;
mod check;
mod config;
mod desk;
mod documents;
mod enrol;
mod factory;
mod hours;
mod ledger;
mod link;
mod provider;
mod receipts;
mod records;
mod report;
mod signer;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "open-lock-sqlite")]
mod sqlite;
#[cfg(test)]
#[cfg(feature = "sim")]
mod tests;

pub use desk::{Desk, Issuer, Wallet};
pub use documents::Document;
pub use enrol::{Applicant, Challenge, Proof, proof_bytes};
pub use factory::OpenLockFactory;
pub use ledger::DocumentForm;
pub use link::Offer;
pub use receipts::StillOpens;
pub use records::{MemoryRecords, Record, RecordFault, Records};
pub use signer::{DocumentSigner, KeyInMemory};
#[cfg(feature = "open-lock-sqlite")]
pub use sqlite::SqliteRecords;
