//! What happens at the door of one room in three days.
use crate::door::{Closed, Door};
use crate::meeting::{From, Meeting, Met, OnAir, Recorded, Recording, Speak};
use crate::office::Office;
use crate::phone::Phone;
use crate::touch::Phase;
use seam_ble::lock::{Claim, IssueNumber, Role, UnixTime, Window};
use seam_ble::pkoc::Response;
use std::error::Error;
use std::time::{Duration, Instant};

/// When the first guest's stay starts: 2027-03-01, 15:00 UTC.
const CHECK_IN: u64 = 1_803_913_200;
const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// One step of the story.
#[derive(Debug)]
pub struct Step {
    /// What is tried.
    pub title: &'static str,
    /// How it ended: by what right the door opened, or why it stayed closed.
    pub outcome: Result<Claim, Closed>,
    /// How the phone proved its key by Aliro; none with PKOC, or when it did not.
    pub phase: Option<Phase>,
    /// From the connection to the lock's answer.
    pub took: Duration,
    /// What went over the link.
    pub messages: Vec<(From, Vec<u8>)>,
}

/// The room, its guests, and where they meet.
struct Room<M> {
    office: Office,
    door: Door,
    meeting: M,
    speak: Speak,
    now: u64,
}

impl<M: Meeting> Room<M> {
    fn phone(&self) -> Phone {
        Phone::new(self.office.site(), self.office.issuer())
    }

    fn guest(&self, issue: u64, role: Role, starts: u64, ends: u64) -> Result<Phone, Box<dyn Error>> {
        let mut phone = self.phone();
        let claim = Claim::Stay { issue: IssueNumber(issue), role };
        let window = Window { starts: UnixTime(starts), ends: UnixTime(ends) };
        phone.take(self.office.grant(self.door.entrance(), &phone.public_key(), claim, window)?);
        Ok(phone)
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        self.door.uptime += seconds;
    }

    async fn presents(&mut self, title: &'static str, phone: &mut Phone) -> Result<Step, Box<dyn Error>> {
        let Met { mut at_lock, at_phone, agreed } = self.meeting.meet().await?;
        let recording = Recording::default();
        let mut at_phone = Recorded { link: at_phone, recording: Recording::clone(&recording) };
        let now = u32::try_from(self.now)?;
        let started = Instant::now();
        let (outcome, phase, shown) = match self.speak {
            Speak::Aliro => {
                let (lock, at_phone) = (self.door.public_key(), &mut at_phone);
                let ((outcome, phase), opened) =
                    tokio::join!(self.door.approached(&agreed, at_lock), phone.approach(lock, &agreed, at_phone));
                (outcome, phase, opened?)
            }
            Speak::Touch => {
                let lock = self.door.public_key();
                let ((outcome, phase), opened) = tokio::join!(self.door.touched(&mut at_lock), phone.touch(lock, &mut at_phone));
                (outcome, phase, opened?)
            }
            Speak::Pkoc => {
                let (outcome, response) = tokio::join!(self.door.serve(&mut at_lock), phone.present(now, &mut at_phone));
                (outcome, None, response? == Response::GRANTED)
            }
        };
        let took = started.elapsed();
        if shown != outcome.is_ok() {
            return Err("the phone shows something else than the lock did".into());
        }
        drop(at_phone);
        Ok(Step { title, outcome, phase, took, messages: recording.take() })
    }
}

/// Tells the story and gives each step to `tell` as it ends.
///
/// # Errors
/// When something stands in the way that is not part of the story: no connection, no randomness.
pub async fn play<M: Meeting>(mut meeting: M, speak: Speak, mut tell: impl FnMut(&Step)) -> Result<Vec<Step>, Box<dyn Error>> {
    let office = Office::default();
    let door = Door::fit(&office, UnixTime(CHECK_IN - 30 * DAY))?;
    meeting.put_on_air(speak, OnAir { reader: door.reader_id(), resolving_key: office.resolving_key().clone() })?;
    let mut room = Room { office, door, meeting, speak, now: CHECK_IN + 20 * MINUTE };
    let mut steps = Vec::new();
    let mut end = |step: Step| {
        tell(&step);
        steps.push(step);
    };

    let mut first = room.guest(CHECK_IN, Role::Override, CHECK_IN, CHECK_IN + 2 * DAY)?;
    end(room.presents("a first guest comes to a lock that lost its time", &mut first).await?);

    let challenge = room.door.ask_time();
    room.wait(2);
    let token = room.office.tell_time(room.door.entrance(), challenge, UnixTime(room.now))?;
    room.door.set_time(&token)?;
    end(room.presents("the phone fetched the signed time: the first guest opens the stay", &mut first).await?);
    end(room.presents("the same guest again", &mut first).await?);

    let mut partner = room.guest(CHECK_IN, Role::Joiner, CHECK_IN, CHECK_IN + 2 * DAY)?;
    end(room.presents("a second guest joins the stay", &mut partner).await?);
    end(room.presents("the first guest still opens", &mut first).await?);

    let mut stranger = room.phone();
    end(room.presents("a phone without a grant", &mut stranger).await?);

    room.wait(DAY);
    // The lock's clock is some seconds unsure by now: in the first seconds of a stay it could not prove that the stay has begun.
    let moved_in = CHECK_IN + DAY;
    let mut next = room.guest(moved_in, Role::Override, moved_in, moved_in + DAY)?;
    end(room.presents("the room is given to somebody else, whose key overrides", &mut next).await?);
    end(room.presents("the first guest's key, still within its time", &mut first).await?);
    end(room.presents("the second guest's key", &mut partner).await?);

    let mut lost = room.guest(moved_in, Role::Joiner, moved_in, moved_in + DAY)?;
    end(room.presents("a further phone of the new guest", &mut lost).await?);
    let list = room.office.revoke(&lost.public_key())?;
    room.door.take_revocations(&list).map_err(|why| format!("the list was refused: {why:?}"))?;
    end(room.presents("that phone is lost and its key revoked", &mut lost).await?);
    end(room.presents("the new guest's own phone", &mut next).await?);

    room.wait(DAY);
    end(room.presents("the next day, after the end of the stay", &mut next).await?);
    Ok(steps)
}
