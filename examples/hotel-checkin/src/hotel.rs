//! What the replay asks of a hotel. The SDK's driver is one; [`ModelHotel`](crate::model_hotel::ModelHotel) is another.
use crate::world::{CardMethod, CardNo, DoorNo, GrantNo, GrantWish, HotelPlan, Instant, Staff, Token, Window};
use std::error::Error;
use std::time::Duration;

/// What the hotel wants to be reminded of when the replay is taken up again: the ids that it gave out, say. Written into the
/// journal with the finished operation, and handed to [`Hotel::recall`].
pub type Memo = Option<String>;

/// Why a hotel could not do what it was asked to.
pub type HotelError = Box<dyn Error + Send + Sync>;

/// What a door did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// It opened.
    pub opened: bool,
    /// What the door, or whoever knows, says about it. Shown, never judged.
    pub why: String,
}

/// What a hotel counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Access methods that were made.
    pub access_methods: u64,
    /// Credentials that were made at access systems.
    pub credentials: u64,
    /// Events that were told.
    pub events: u64,
    /// The most seats of the access system that were taken at a time; 0 where it has none.
    pub seats: u64,
    /// Requests that reached the access system, where it is on a socket.
    pub requests: u64,
    /// Grants that this process made.
    pub granted: u64,
    /// How long it took until they were durable. Carrying them to the doors is not in it.
    pub granting: Duration,
}

/// A hotel.
///
/// Operations come in the order of their instants, one at a time, each after [`advance`](Self::advance) to its instant, or later
/// when the hotel's clock is ahead: some things take time. Every
/// change has a key: when the process ended before its outcome was noted, the same operation comes again with the same key, and
/// must then have happened once. When a call returns, what it caused has reached the doors that can be reached: PINs and phones
/// follow at once, cards when they are encoded.
#[expect(async_fn_in_trait, reason = "a replay is one future on one thread")]
pub trait Hotel {
    /// Builds the hotel, or finds it as it was left.
    async fn open(&mut self, plan: &HotelPlan) -> Result<(), HotelError>;

    /// Lets the clock run until this instant; what is due by then has happened.
    async fn advance(&mut self, to: Instant) -> Result<(), HotelError>;

    /// What its clock shows.
    fn now(&self) -> Instant;

    /// Gives a member of staff her card.
    async fn hire(&mut self, key: &str, staff: &Staff) -> Result<Memo, HotelError>;

    /// Makes one guest's grant, with its methods, under the reservation of its stay.
    async fn book(&mut self, key: &str, wish: &GrantWish) -> Result<Memo, HotelError>;

    /// Changes the window of a grant.
    async fn update(&mut self, key: &str, grant: GrantNo, window: Window) -> Result<Memo, HotelError>;

    /// Suspends a grant.
    async fn suspend(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError>;

    /// Deletes a grant.
    async fn delete(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError>;

    /// Asks for one more card.
    async fn add_card(&mut self, key: &str, method: CardMethod) -> Result<Memo, HotelError>;

    /// Asks for a mobile key.
    async fn add_phone(&mut self, key: &str, grant: GrantNo) -> Result<Memo, HotelError>;

    /// Writes a card: for the first time, or again after a change. The plastic may have been another guest's.
    async fn encode(&mut self, key: &str, method: CardMethod, onto: CardNo) -> Result<Memo, HotelError>;

    /// Replaces a lost card by a new one, which is encoded at once.
    async fn replace_lost(&mut self, key: &str, lost: CardMethod, new: CardMethod, onto: CardNo) -> Result<Memo, HotelError>;

    /// The PIN of a grant that has one, as its guest is told it now; `None` when there is none (any more).
    async fn pin(&mut self, grant: GrantNo) -> Result<Option<String>, HotelError>;

    /// Shows something to a door. `typed` is what is typed when the token is a PIN.
    async fn try_door(&mut self, door: DoorNo, token: Token, typed: Option<&str>) -> Result<Answer, HotelError>;

    /// Whether the access system has, or had shortly ago, no seat for another guest.
    fn is_full(&self) -> bool {
        false
    }

    /// What was counted so far.
    async fn counts(&mut self) -> Result<Counts, HotelError>;

    /// Reminds of an operation that was finished, at this instant, before the process ended. Called in order, before anything else
    /// but `open`.
    fn recall(&mut self, at: Instant, memo: &Memo);
}
