//! Card technologies (APDUs, secure messaging, key diversification) and encoder transports for the seam SDK.
//!
//! The plug itself, [`CardEncoder`](https://docs.rs/seam-core), lives in `seam-core`; this crate will hold its implementations.
