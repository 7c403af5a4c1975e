//! Access systems over a network: how many requests a check-in takes, how near the engine comes to the encoders' own pace, and what it adds to a system's own
//! time. The servers are fakes on sockets of this host.
mod night;
mod site;

use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::AccessMethodMode;
use site::{Site, Vendor};
use std::time::{Duration, Instant};

/// What a card takes an encoder.
const WRITING: Duration = Duration::from_millis(50);
/// What a card takes an encoder whose pace is compared with that of one card, and what an answer takes a system that is compared with itself.
const SLOWLY: Duration = Duration::from_millis(500);

pub(crate) async fn measure(size: &Size) -> Result<Vec<Line>, Failed> {
    let mut lines = Vec::new();
    for vendor in Vendor::ALL {
        lines.push(requests(vendor).await?);
    }
    // What stands beside each other is independent of each other: each encoder of Visionline and of SHIP, but one line for all that the PMS channel of
    // Salto and Vision have.
    for vendor in [Vendor::VisionlineWeb, Vendor::VisionlinePms, Vendor::Vision, Vendor::SaltoPms, Vendor::SaltoShip] {
        for encoders in [1, 4, 16] {
            lines.push(pace(vendor, encoders, size).await?);
        }
    }
    for vendor in Vendor::ALL {
        lines.push(added(vendor, size).await?);
    }
    lines.push(night::line(size).await?);
    Ok(lines)
}

/// Requests from a guest who is not known to a key that opens, against the fewest that the system's interface allows.
async fn requests(vendor: Vendor) -> Result<Line, Failed> {
    const GUESTS: usize = 4;
    let site = Site::new(vendor, 1, GUESTS, Duration::ZERO).await?;
    let before = site.requests();
    let guests = site.guests(GUESTS).await?;
    if vendor.mode() == AccessMethodMode::Card {
        site.cards(&guests).await?;
    }
    let counted = site.requests() - before;
    let (floor, of_what) = vendor.floor();
    let ratio = Rounds::once(counted as f64 / (GUESTS * floor) as f64);
    let what = format!("{}: requests per check-in ÷ the least", vendor.name());
    Ok(Line::new(what, Goal::AtMost(1.0), ratio).remark(format!("{:.2} ÷ {floor}: {of_what}", counted as f64 / GUESTS as f64)))
}

/// Cards per second at so many encoders, against what those could do that do not wait for each other.
async fn pace(vendor: Vendor, encoders: usize, size: &Size) -> Result<Line, Failed> {
    let abreast = if vendor.encoders_are_independent() { encoders } else { 1 };
    let cards = match size.is_smoke() {
        true => encoders,
        false => encoders.max(4) * if abreast == encoders { 20 } else { 4 },
    };
    let site = Site::new(vendor, encoders, cards, WRITING).await?;
    let guests = site.guests(cards).await?;
    let began = Instant::now();
    site.cards(&guests).await?;
    let ideal = WRITING.as_secs_f64() * cards.div_ceil(abreast) as f64;
    let what = format!("{}: cards per second at {encoders} encoders of 50 ms ÷ ideal", vendor.name());
    let remark = format!("{cards} cards, {abreast} at a time");
    Ok(Line::new(what, Goal::AtLeast(0.9), Rounds::once(ideal / began.elapsed().as_secs_f64())).remark(remark))
}

/// What the engine adds: from asked to issued, against the time that the encoder or the answers take.
async fn added(vendor: Vendor, size: &Size) -> Result<Line, Failed> {
    let guests = if size.is_smoke() { 1 } else { 8 };
    let (ratio, of_what) = if vendor.mode() == AccessMethodMode::Card {
        let site = Site::new(vendor, 1, guests, SLOWLY).await?;
        let all = site.guests(guests).await?;
        let began = Instant::now();
        site.cards(&all).await?;
        (began.elapsed().as_secs_f64() / (SLOWLY.as_secs_f64() * guests as f64), "cards of 500 ms, one after another")
    } else {
        let site = Site::new(vendor, 1, guests, Duration::ZERO).await?;
        site.answer_slowly(SLOWLY / 5).await?;
        let (mut took, mut answers) = (0.0, 0);
        for n in 0..guests {
            let (began, before) = (Instant::now(), site.requests());
            site.guests_from(n, 1).await?;
            took += began.elapsed().as_secs_f64();
            answers += site.requests() - before;
        }
        (took / ((SLOWLY / 5).as_secs_f64() * answers as f64), "answers of 100 ms, each waited for before the next is asked for")
    };
    let what = format!("{}: from create to issued ÷ the system's own time", vendor.name());
    Ok(Line::new(what, Goal::AtMost(1.05), Rounds::once(ratio)).remark(of_what))
}
