//! Card technologies and encoder transports for the seam SDK: for cards that we write ourselves, instead of a vendor's server.
//!
//! It holds nothing yet. The plug is in `seam-core` (`encoder`); what comes here are card technologies (APDUs, secure messaging, key
//! diversification) and the transports to reach an encoder. Until then cards are written by encoders that belong to an access system, as those
//! of the sandbox in `seam-providers` do.
