//! Tests of Salto Space.
mod conformance;
mod frames;
mod phones;
mod server;
mod stage;
mod wrong;
