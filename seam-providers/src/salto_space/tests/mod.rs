//! Tests of Salto Space.
mod conformance;
mod frames;
mod stage;
mod wrong;
