//! Where public sources of Aliro 1.0 disagree or are silent: one constant per question, with what is followed and why.
//!
//! Each has a test in `tests/aliro_unsettled.rs` that has the answer as bytes. Most are switches or values that the code reads. Five only name
//! what the code is written to do, and changing them changes nothing: [`SCHEDULE_TIMES_UNTAGGED`], [`RECURRENCE_AS_ARRAY`],
//! [`REVOCATION_EXPIRY_TAGGED`], [`VENDOR_TLVS_IN_INFO`], [`REQUEST_AFTER_COMPLETED`].

/// The first eight bytes of the nonce for what the device sends on the **BLE** channel.
///
/// The CSA's actuator counts the device's direction with `..01` there as on the exchange channel; the public Java port uses zeros in both
/// directions. Either is safe, because each direction has a key of its own. Followed: the actuator.
pub const BLE_DEVICE_NONCE_PREFIX: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

/// Whether AUTH0, LOAD CERT, AUTH1 and EXCHANGE end with an Le byte `00`.
///
/// The CSA's vectors do; a public reader sends AUTH0 without and phones take it. Followed: the vectors when writing; both are read.
pub const LE_BYTE: bool = true;

/// How a document request and its answer travel in the step-up phase.
///
/// The CSA's actuator puts cipher text and tag into ENVELOPE as they are; a public reader that works with phones wraps them as ISO 18013-5
/// does: `53 (CBOR {"data": bytes})`. Followed: the latter.
pub const STEP_UP_IN_SESSION_DATA: bool = true;

/// The salt of the two step-up keys: empty (which HKDF takes as 32 zeros). Sources agree; named here because the BLE keys have another one.
pub const STEP_UP_SALT: [u8; 0] = [];

/// Whether the BLE keys are salted with the versions on offer and the one chosen.
///
/// The actuator and the Java port do; a reader without BLE shows zeros. Followed: the actuator.
pub const BLE_KEYS_SALTED_WITH_VERSIONS: bool = true;

/// Whether a phone writes tag and length of `A5` too into attribute 0 of "initiate access protocol".
///
/// The actuator's phone and the Java port write `A5`, its length and its content; an early reader of the actuator expects the content alone. Both
/// are read, for the first tag tells them apart; the keys have the tag in either case. Followed when writing: the phones.
pub const BLE_PROPRIETARY_WITH_TAG: bool = true;

/// When a phone whose holder pressed asks for the bolt: after the lock has said "access protocol completed".
///
/// The CSA's certification tool and the Java port expect it so, and "status changed" tells the outcome; an example of the actuator has the request
/// before. Followed: the certification tool.
pub const REQUEST_AFTER_COMPLETED: bool = true;

/// The first byte of the 24 bytes of service data in an advertisement: how a reader without UWB says so.
///
/// The Java port sets bit 6; the actuator packs a notification and a version and knows no such bit. Followed: the Java port, for BLE-only
/// readers; the other bits stay zero.
pub const ADVERTISED_BLE_ONLY: u8 = 0x40;

/// The coding of times in an Access Document's schedules: plain integers, seconds since 1970. A draft tags them with 1; that is refused.
pub const SCHEDULE_TIMES_UNTAGGED: bool = true;

/// The coding of a recurrence: an array `[duration, mask, pattern, interval, ordinal]`. A draft has 11 bytes; that is refused.
pub const RECURRENCE_AS_ARRAY: bool = true;

/// The coding of the time at which an entry of a Revocation Document may be forgotten: tag 1, as the actuator writes it.
pub const REVOCATION_EXPIRY_TAGGED: bool = true;

/// Which TLVs of a vendor follow the device's key in the info of the key schedule: `B1` of the command, then `B2` of the response, each with
/// its tag. Read in the actuator; no vector has them.
pub const VENDOR_TLVS_IN_INFO: bool = true;

/// How far an Access Document's iteration may lag behind the highest one seen of its issuer. 7.2.3 by the Java port: a lag of 8 is refused.
pub const ACCESS_ITERATION_LAG: u64 = 8;

/// The last value of a channel's counter that is used, plus one: the actuator refuses EXCHANGE from here on.
pub const COUNTER_LIMIT: u32 = 0xFFFF;
