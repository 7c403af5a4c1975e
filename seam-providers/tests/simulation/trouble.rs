//! What goes wrong around the engine: somebody changes things by hand, a site falls silent, an instance hangs.
use crate::exec::minutes;
use crate::house::{Check, House};
use crate::script::LIKED;
use chrono::Duration;
use seam_core::provider::{Kind, Tag};
use seam_providers::sandbox::{HandEdit, Silence};

impl House {
    /// Somebody changes things at the vendor, behind our back.
    pub(crate) fn by_hand(&mut self) -> Check {
        let site = ["hotel", "office"][self.rng.below(2)];
        let s = self.world.site(site);
        let held = s.held();
        if self.rng.in_1000(250) {
            if site == "hotel" {
                let pin = LIKED[self.rng.below(LIKED.len())];
                if !self.ledger.by_hand.contains(pin) && self.rng.in_1000(200) {
                    s.add_code_by_hand("pool", "193746", None, None);
                    self.ledger.by_hand.insert("193746".to_owned());
                }
            }
            return Ok(());
        }
        let Some(h) = self.rng.of(&held).cloned() else { return Ok(()) };
        // Neither what is on a card nor a room's stay can be asked for: nobody would ever notice.
        if matches!(h.kind, Kind::Card | Kind::Stay) {
            return Ok(());
        }
        self.ledger.spoiled.insert(site.to_owned());
        self.log(|| format!("by hand at {site}: {h:?}"));
        match self.rng.below(4) {
            0 | 1 => {
                s.delete_by_hand(&h.handle);
            }
            2 => {
                if let Some(w) = h.window
                    && let Ok(longer) = seam_core::model::Window::new(w.starts_at() - minutes(90), w.ends_at().map(|e| e + minutes(90)))
                {
                    s.edit_by_hand(&h.handle, HandEdit::Window(longer));
                }
            }
            _ => {
                if h.kind == Kind::Code && h.pin.is_some() {
                    s.edit_by_hand(&h.handle, HandEdit::Pin("505162".to_owned()));
                }
            }
        }
        Ok(())
    }

    /// A site falls silent or slow, an instance hangs, a phone is out of reach.
    pub(crate) fn break_something(&mut self) -> Check {
        if !self.faults.plan().on {
            return Ok(());
        }
        let sites = ["hotel", "office", "slots", "mute"];
        let site = self.world.site(sites[self.rng.below(sites.len())]);
        match self.rng.below(7) {
            0 => site.go_silent(Silence::RefusesConnections),
            1 => site.go_silent(Silence::LosesRequests),
            2 => site.go_silent(Silence::LosesAnswers),
            3 => site.be_slow(std::time::Duration::from_secs(self.rng.next() % 30)),
            4 => {
                let keys: Vec<Tag> = {
                    let watch = self.watch();
                    let mobile = watch.targets().filter(|(_, _, t)| t.kind() == Kind::MobileKey);
                    mobile.map(|(row, _, _)| seam_core::plan::tag_of(row)).collect()
                };
                if let Some(tag) = self.rng.of(&keys) {
                    let hotel = self.world.site("hotel");
                    if hotel.count(Kind::MobileKey, tag) > 0 {
                        hotel.phone(&tag.0).go_offline();
                    }
                }
                return Ok(());
            }
            5 => {
                for s in sites {
                    self.world.site(s).speak();
                    self.world.site(s).be_slow(std::time::Duration::ZERO);
                }
            }
            _ => {
                let who = 1 + self.rng.below(self.setup.instances);
                let until = self.exec.now() + Duration::seconds(self.rng.between(10, 400));
                self.log(|| format!("instance {who} hangs until {until}"));
                self.exec.pause(who, until);
            }
        }
        self.faults.plan().count += 1;
        let time = Duration::seconds(self.rng.between(1, 300));
        self.run_for(time)?;
        self.try_doors(6, false)?;
        if self.rng.in_1000(700) {
            site.speak();
            site.be_slow(std::time::Duration::ZERO);
        }
        Ok(())
    }
}
