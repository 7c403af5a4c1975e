//! All shapes pass the suite of providers; planted bugs do not.
use super::*;
use crate::sandbox::config::Shape;
use crate::sandbox::faults::Bug;
use seam_core::conformance::provider::{Fault, Findings, Issued, Judge, SamePin, Tried, check};
use secrecy::ExposeSecret;

type Change = fn(&mut SiteConfig);

impl Stage {
    fn wanted_code<'a>(issued: &'a Issued<'_>) -> Option<(&'a CredentialSpec, Option<u16>)> {
        match issued.want {
            Want::Credential(c) => match &c.body {
                Body::Code { slot, .. } => Some((c, *slot)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn tried(attempt: &Attempt) -> Tried {
    match attempt.why {
        Why::NotRead => Tried::Cannot,
        why if why.is_open() => Tried::Opened,
        _ => Tried::Refused,
    }
}

#[async_trait::async_trait]
impl Judge for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.world.now()
    }
    async fn pass(&self, time: Duration) {
        self.clock.advance(TimeDelta::from_std(time).unwrap());
    }
    async fn try_door(&self, door: &Handle, issued: &Issued<'_>) -> Tried {
        let door = self.site.door(door.as_text().unwrap());
        match issued.want.kind() {
            Kind::Code => issued.pin.map_or(Tried::Cannot, |pin| tried(&door.enter_pin(pin.expose_secret()))),
            Kind::Card => {
                let number = issued.receipt.and_then(|r| r.made.card_number.as_deref());
                let card = number.and_then(|n| self.world.card(n));
                card.map_or(Tried::Cannot, |card| tried(&door.present(&card)))
            }
            Kind::MobileKey => tried(&door.present(&self.site.phone(&issued.tag.0))),
            Kind::CloudKey => {
                let handle = issued.receipt.and_then(|r| r.handle.as_ref());
                handle.map_or(Tried::Cannot, |handle| tried(&door.cloud_open(handle)))
            }
            _ => Tried::Cannot,
        }
    }
    async fn try_pin(&self, door: &Handle, pin: &str) -> Tried {
        tried(&self.site.door(door.as_text().unwrap()).enter_pin(pin))
    }
    async fn holds(&self, issued: &Issued<'_>) -> Option<u32> {
        if let Some((spec, Some(slot))) = Self::wanted_code(issued) {
            // A slot has no name on it: it is ours when our digits are in it.
            let handle = Handle::text(format!("{}-{slot}", spec.doors.first()?.handle.as_text()?));
            let pin = issued.pin?.expose_secret();
            let same = |h: &Held| h.handle == handle && h.pin.as_ref().is_some_and(|p| p.expose_secret() == pin);
            return Some(u32::from(self.site.held().iter().any(same)));
        }
        u32::try_from(self.site.count(issued.want.kind(), issued.tag)).ok()
    }
    fn requests(&self) -> Option<u64> {
        Some(["put", "remove", "find", "encode"].iter().map(|verb| self.site.calls(verb)).sum())
    }
    async fn spoil(&self, fault: Option<Fault>) -> bool {
        match fault {
            None => self.site.speak(),
            Some(Fault::RefuseConnections) => self.site.go_silent(Silence::RefusesConnections),
            Some(Fault::LoseRequests) => self.site.go_silent(Silence::LosesRequests),
            Some(Fault::LoseAnswers) => self.site.go_silent(Silence::LosesAnswers),
            Some(_) => return false,
        }
        true
    }
    async fn lay_card(&self, encoder: &Handle) -> bool {
        let encoder = self.site.encoder(encoder.as_text().unwrap());
        while encoder.take_card().is_some() {}
        encoder.put_card(&self.world.blank_card());
        true
    }
    async fn clear_encoder(&self, encoder: &Handle) -> bool {
        self.site.reconfigure(|c| c.auto_card = false);
        let encoder = self.site.encoder(encoder.as_text().unwrap());
        while encoder.take_card().is_some() {}
        true
    }
    async fn registered_card(&self) -> Option<String> {
        let card = self.world.blank_card();
        self.site.register_card(&card);
        Some(card.uid().to_owned())
    }
    fn same_pin(&self) -> SamePin {
        if self.site.config().takes_equal_pins { SamePin::Taken } else { SamePin::Refused }
    }
}

fn findings(config: SiteConfig, bug: Option<Bug>) -> Findings {
    let s = Stage::new(config);
    bug.into_iter().for_each(|bug| s.site.plant(bug));
    let findings = run(check(&s.provider, &s));
    if bug.is_none() {
        let left: Vec<Kind> = s.site.held().iter().map(|h| h.kind).collect();
        assert!(left.is_empty(), "the suite leaves nothing behind, but {left:?}");
    }
    findings
}

fn shapes() -> Vec<SiteConfig> {
    vec![
        SiteConfig::hotel("hotel", 3),
        SiteConfig::office("office"),
        SiteConfig::slot_lock("slots", 5),
        SiteConfig::write_only_lock("radio"),
    ]
}

#[test]
fn all_shapes_keep_all_rules() {
    for config in shapes() {
        let findings = findings(config, None);
        findings.assert_clean();
        assert!(findings.tried > 100, "{findings}");
    }
}

#[test]
fn all_variants_keep_all_rules() {
    let variants: [(Shape, Change); 14] = [
        (Shape::Hotel, |c| c.stay.as_mut().unwrap().join = JoinBy::CurrentGuest),
        (Shape::Hotel, |c| c.stay.as_mut().unwrap().join = JoinBy::CardList),
        (Shape::Hotel, |c| c.stay.as_mut().unwrap().join = JoinBy::Key),
        (Shape::Hotel, |c| c.rule(Kind::Stay, |_| {})),
        (Shape::Hotel, |c| {
            for kind in [Kind::Card, Kind::Code, Kind::MobileKey] {
                c.rule(kind, |r| r.resolution_seconds = 60);
            }
        }),
        (Shape::Hotel, |c| c.rule(Kind::Code, |r| (r.resolution_seconds, r.longest_seconds) = (86_400, Some(10 * 86_400)))),
        (Shape::Hotel, |c| c.rule(Kind::Code, |r| r.doors = DoorLimit::Many { guest: 0, common: 3 })),
        (Shape::Hotel, |c| c.rule(Kind::MobileKey, |r| (r.suspend, r.schedule) = (false, false))),
        (Shape::Hotel, |c| c.pin.as_mut().unwrap().made_by_vendor = true),
        (Shape::Hotel, |c| (c.pin.as_mut().unwrap().max, c.takes_equal_pins) = (Some(65_535), false)),
        (Shape::Hotel, |c| (c.logs_at_once, c.log_seconds) = (true, Some(60))),
        (Shape::Office, |c| c.log_seconds = Some(60)),
        (Shape::Office, |c| c.group_rules = Groups::Own),
        (Shape::Office, |c| c.rule(Kind::Access, |r| (r.repeat, r.suspend) = (Repeat::AfterFind, false))),
    ];
    for (n, (shape, change)) in variants.into_iter().enumerate() {
        let mut config = if shape == Shape::Hotel { SiteConfig::hotel("hotel", 2) } else { SiteConfig::office("office") };
        change(&mut config);
        let findings = findings(config, None);
        assert!(findings.breaches.is_empty(), "variant {n}: {findings}");
    }
}

#[test]
fn planted_bugs_are_found() {
    let hotel = || SiteConfig::hotel("hotel", 2);
    let logging = || {
        let mut site = SiteConfig::office("office");
        site.log_seconds = Some(60);
        site
    };
    let cases = [
        (Bug::RemoveOfAbsentFails, hotel(), "remove_of_absent_is_ok"),
        (Bug::RemoveOfAbsentFails, SiteConfig::slot_lock("slots", 5), "remove_can_be_repeated"),
        (Bug::LeadingZeroDropped, hotel(), "pins_are_kept_digit_by_digit"),
        (Bug::NothingAfterEffect, hotel(), "effects_are_honest"),
        (Bug::PutTwiceMakesTwo, hotel(), "put_twice_is_one"),
        (Bug::EndIncluded, hotel(), "windows_hold_at_the_door"),
        (Bug::IgnoresWithin, hotel(), "within_is_obeyed"),
        (Bug::LogCursorStays, logging(), "the_log_goes_on_from_its_cursor"),
        (Bug::PinInFailure, hotel(), "secrets_stay_out_of_debug"),
    ];
    for (bug, config, rule) in cases {
        let findings = findings(config, Some(bug));
        assert!(findings.breaks(rule), "{bug:?} should break {rule}: {findings}");
    }
}

#[test]
fn a_report_that_contradicts_itself_is_found() {
    let cases: [(&str, Change); 5] = [
        ("card_path_goes_with_cards", |c| c.rule(Kind::Code, |r| r.card = Some(CardPath::OwnEncoder))),
        ("pin_rules_go_with_codes", |c| c.pin = None),
        ("resolution_is_a_second_or_more", |c| c.rule(Kind::Code, |r| r.resolution_seconds = 0)),
        ("door_handles_are_unique", |c| c.doors.push(c.doors[0].clone())),
        ("by_user_needs_users", |c| c.rule(Kind::Code, |r| r.doors = DoorLimit::ByUser)),
    ];
    for (rule, change) in cases {
        let mut config = SiteConfig::hotel("hotel", 2);
        change(&mut config);
        let findings = findings(config, Some(Bug::EndIncluded));
        assert!(findings.breaks(rule), "{rule}: {findings}");
    }
}
