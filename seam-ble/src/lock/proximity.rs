//! What is known about where the phone is.
//!
//! No cryptography stops a relay: two radios that carry the messages of a phone far away look to the lock like the phone. Link encryption and
//! limits on latency do not help either (NCC Group, 2022-05-15, link-layer relay on Bluetooth LE). So the distance is an input with a type:
//! measured, or not known; and where it is not known a deliberate act of the person is asked for.

/// Over what the phone spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// Near field: some centimetres without a relay.
    Nfc,
    /// Bluetooth LE: some ten metres without a relay.
    Ble,
}

/// How a distance was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DistanceMethod {
    /// Ultra-wideband ranging keyed by the session's ranging key.
    UltraWideband,
    /// Bluetooth channel sounding on the session's encrypted connection.
    ChannelSounding,
}

/// How far away the phone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distance {
    /// Not measured. Signal strength is no measure: an amplifier makes it whatever it likes.
    Unknown,
    /// Measured by the lock itself, in a way bound to this session.
    Measured {
        /// In what way.
        by: DistanceMethod,
        /// The largest distance that the measurement leaves possible, in millimetres.
        at_most_mm: u32,
    },
}

/// What the person did, as the phone's authenticated message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserAct {
    /// Nothing: the phone may be in a pocket.
    None,
    /// A tap on the screen.
    Gesture,
    /// Proved to the phone who they are (biometric, code), in this session.
    Verified,
}

/// Everything that speaks for the phone being at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Over what the phone spoke.
    pub link: Link,
    /// How far away it is.
    pub distance: Distance,
    /// What the person did.
    pub user: UserAct,
}

/// What an entrance asks for. The evidence is enough when at least one of the three ways is satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProximityRule {
    /// Least act over NFC; `None` refuses NFC altogether.
    pub nfc: Option<UserAct>,
    /// Least act over Bluetooth when the distance is not measured; `None` refuses that.
    pub ble_unmeasured: Option<UserAct>,
    /// Largest measured distance that opens without any act, in millimetres; 0 turns this way off.
    pub measured_within_mm: u32,
}

impl ProximityRule {
    /// A touch over NFC, a tap on the screen over Bluetooth, or a measured distance of at most 1.5 m.
    pub const HOTEL_ROOM: Self = Self { nfc: Some(UserAct::None), ble_unmeasured: Some(UserAct::Gesture), measured_within_mm: 1_500 };

    /// Whether the evidence is enough.
    #[must_use]
    pub fn accepts(&self, evidence: &Evidence) -> bool {
        if let Distance::Measured { at_most_mm, .. } = evidence.distance {
            // A measured distance that is too large is proof of the contrary: no act makes up for it.
            return self.measured_within_mm > 0 && at_most_mm <= self.measured_within_mm;
        }
        let least = match evidence.link {
            Link::Nfc => self.nfc,
            Link::Ble => self.ble_unmeasured,
        };
        least.is_some_and(|least| evidence.user >= least)
    }
}
