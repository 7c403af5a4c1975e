//! What somebody does by hand, behind our back: with the vendor's own client, or at the lock itself.
use super::effect;
use super::site::Site;
use super::state::{Content, Pin, Thing};
use super::stays;
use super::token::Card;
use seam_core::model::Window;
use seam_core::provider::{DoorClass, Handle, Kind};
use std::fmt;

impl Site {
    /// Somebody deletes a thing by hand. `false`: there was no such thing.
    pub fn delete_by_hand(&self, thing: &Handle) -> bool {
        self.change(|site| {
            let id = thing.as_text().unwrap_or_default();
            let Some(old) = site.things.get(id).cloned() else { return false };
            site.set_thing(id, None);
            old.phone.iter().for_each(|p| site.sync_phone(p));
            true
        })
    }

    /// Somebody edits a thing by hand. `false`: there was no such thing.
    pub fn edit_by_hand(&self, thing: &Handle, edit: HandEdit) -> bool {
        self.change(|site| {
            let id = thing.as_text().unwrap_or_default();
            let Some(mut new) = site.things.get(id).cloned() else { return false };
            match edit {
                HandEdit::Window(window) => new.window = Some(window),
                HandEdit::Pin(pin) => new.pin = Some(Pin(pin)),
                HandEdit::Doors(doors) => (new.doors, new.groups) = (doors, Vec::new()),
                HandEdit::Suspended(suspended) => new.suspended = suspended,
                HandEdit::Name(name) => new.name = name,
            }
            let phone = new.phone.clone();
            site.set_thing(id, Some(new));
            phone.iter().for_each(|p| site.sync_phone(p));
            true
        })
    }

    /// Somebody adds a code by hand that is none of ours; in a lock with slots, into this slot.
    pub fn add_code_by_hand(&self, door: &str, pin: &str, window: Option<Window>, slot: Option<u16>) -> Handle {
        self.change(|site| {
            let id = slot.map_or_else(|| effect::new_id(site, Kind::Code), |slot| format!("{door}-{slot}"));
            let mut thing = Thing::new(Kind::Code, None, "added by hand");
            (thing.doors, thing.pin, thing.window, thing.slot) = (vec![door.to_owned()], Some(Pin(pin.to_owned())), window, slot);
            site.set_thing(&id, Some(thing));
            Handle::text(id)
        })
    }

    /// Somebody adds a user by hand that is none of ours.
    pub fn add_user_by_hand(&self, name: &str) -> Handle {
        self.change(|site| {
            let id = effect::new_id(site, Kind::User);
            site.set_thing(&id, Some(Thing::new(Kind::User, None, name)));
            Handle::text(id)
        })
    }

    /// Somebody makes a guest's card by hand, as reception does with the vendor's own client: its first use ends what was at its rooms before.
    ///
    /// Its issue number is the window's start in whole seconds, or the next one of the room where the system counts by itself.
    pub fn make_guest_card_by_hand(&self, doors: &[&str], window: Window) -> Card {
        self.make_card(doors, window, true)
    }

    /// Somebody makes a staff card by hand.
    pub fn make_staff_card_by_hand(&self, doors: &[&str], window: Window) -> Card {
        self.make_card(doors, window, false)
    }

    fn make_card(&self, doors: &[&str], window: Window, guest: bool) -> Card {
        let card = self.world.blank_card();
        let key = self.change(|site| {
            let mut thing = Thing::new(Kind::Card, None, "made by hand");
            thing.doors = doors.iter().map(|d| (*d).to_owned()).collect();
            (thing.window, thing.number) = (Some(window), Some(card.uid().to_owned()));
            for door in doors.iter().filter(|_| guest) {
                if site.config.door(door).is_some_and(|d| d.class == DoorClass::Guest) {
                    let number = stays::by_hand(site, door, window.starts_at());
                    thing.numbers.insert((*door).to_owned(), number);
                }
            }
            let id = effect::new_id(site, Kind::Card);
            site.set_thing(&id, Some(thing));
            site.key(&id)
        });
        if let Some(key) = key {
            self.world.change(|state, now| state.set_card(card.uid(), Content::Key(key), now));
        }
        card
    }
}

/// What somebody changes by hand.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum HandEdit {
    /// The window.
    Window(Window),
    /// The digits of a code.
    Pin(String),
    /// The doors.
    Doors(Vec<String>),
    /// Whether it is suspended.
    Suspended(bool),
    /// The name.
    Name(String),
}

impl fmt::Debug for HandEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(window) => f.debug_tuple("Window").field(window).finish(),
            Self::Pin(_) => f.write_str("Pin([redacted])"),
            Self::Doors(doors) => f.debug_tuple("Doors").field(doors).finish(),
            Self::Suspended(suspended) => f.debug_tuple("Suspended").field(suspended).finish(),
            Self::Name(name) => f.debug_tuple("Name").field(name).finish(),
        }
    }
}
