//! What happens at the door of one room in three days.
use crate::door::{Closed, Door};
use crate::meeting::{From, Meeting, Recorded, Recording};
use crate::office::Office;
use crate::phone::Phone;
use seam_ble::lock::{Claim, IssueNumber, Role, UnixTime, Window};
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

    async fn presents(&mut self, title: &'static str, phone: &Phone) -> Result<Step, Box<dyn Error>> {
        let (mut at_lock, at_phone) = self.meeting.meet().await?;
        let recording = Recording::default();
        let mut at_phone = Recorded { link: at_phone, recording: Recording::clone(&recording) };
        let now = u32::try_from(self.now)?;
        let started = Instant::now();
        let (outcome, shown) = tokio::join!(self.door.serve(&mut at_lock), phone.present(now, &mut at_phone));
        let took = started.elapsed();
        let _on_screen = shown?;
        drop(at_phone);
        Ok(Step { title, outcome, took, messages: recording.take() })
    }
}

/// Tells the story and gives each step to `tell` as it ends.
///
/// # Errors
/// When something stands in the way that is not part of the story: no connection, no randomness.
pub async fn play<M: Meeting>(meeting: M, mut tell: impl FnMut(&Step)) -> Result<Vec<Step>, Box<dyn Error>> {
    let office = Office::default();
    let door = Door::fit(&office, UnixTime(CHECK_IN - 30 * DAY))?;
    let mut room = Room { office, door, meeting, now: CHECK_IN + 20 * MINUTE };
    let mut steps = Vec::new();
    let mut end = |step: Step| {
        tell(&step);
        steps.push(step);
    };

    let first = room.guest(CHECK_IN, Role::Override, CHECK_IN, CHECK_IN + 2 * DAY)?;
    end(room.presents("a first guest comes to a lock that lost its time", &first).await?);

    let challenge = room.door.ask_time();
    room.wait(2);
    let token = room.office.tell_time(room.door.entrance(), challenge, UnixTime(room.now))?;
    room.door.set_time(&token)?;
    end(room.presents("the phone fetched the signed time: the first guest opens the stay", &first).await?);
    end(room.presents("the same guest again", &first).await?);

    let partner = room.guest(CHECK_IN, Role::Joiner, CHECK_IN, CHECK_IN + 2 * DAY)?;
    end(room.presents("a second guest joins the stay", &partner).await?);
    end(room.presents("the first guest still opens", &first).await?);

    let stranger = room.phone();
    end(room.presents("a phone without a grant", &stranger).await?);

    room.wait(DAY);
    // The lock's clock is some seconds unsure by now: in the first seconds of a stay it could not prove that the stay has begun.
    let moved_in = CHECK_IN + DAY;
    let next = room.guest(moved_in, Role::Override, moved_in, moved_in + DAY)?;
    end(room.presents("the room is given to somebody else, whose key overrides", &next).await?);
    end(room.presents("the first guest's key, still within its time", &first).await?);
    end(room.presents("the second guest's key", &partner).await?);

    let lost = room.guest(moved_in, Role::Joiner, moved_in, moved_in + DAY)?;
    end(room.presents("a further phone of the new guest", &lost).await?);
    let list = room.office.revoke(&lost.public_key())?;
    room.door.take_revocations(&list).map_err(|why| format!("the list was refused: {why:?}"))?;
    end(room.presents("that phone is lost and its key revoked", &lost).await?);
    end(room.presents("the new guest's own phone", &next).await?);

    room.wait(DAY);
    end(room.presents("the next day, after the end of the stay", &next).await?);
    Ok(steps)
}
