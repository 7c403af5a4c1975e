//! A page of a list with a million rows, against one with a thousand.
use crate::callers;
use crate::commits::CALLERS;
use crate::desk::{Desk, Template};
use crate::measure::Rounds;
use crate::record::decide;
use crate::table::{Goal, Line};
use crate::{Failed, Size};
use seam_core::AccessGrant;
use seam_core::api::GrantFilter;
use seam_core::model::Page;
use seam_core::state::{Body, Changeset, Grant, Row};
use seam_core::store::{SqliteOptions, Store};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
/// Rows of a page.
const PAGE: usize = 100;
/// Guests whose grants are copied. The first of them has every second grant.
const GUESTS: usize = 50;
/// Grants of a changeset, each with an event.
const IN_EACH: usize = 10;
/// Pages of each list in each round, on each side.
const PAGES: usize = 10;

/// The lists that are read.
const LISTS: [&str; 4] = ["all grants", "grants of a person with half of them", "grants of a reservation with half of them", "events"];

pub(crate) async fn measure(folder: &Path, size: &Size) -> Result<Vec<Line>, Failed> {
    let (few, many) = if size.is_smoke() { (600, 2_000) } else { (FEW, MANY) };
    let template = Template::new(folder).await?;
    let sides = [House::new(folder, &template, few).await?, House::new(folder, &template, many).await?];
    let mut ratios = vec![Vec::new(); LISTS.len()];
    let mut took = vec![Vec::new(); LISTS.len()];
    for round in 0..size.rounds {
        for (list, (ratios, took)) in ratios.iter_mut().zip(&mut took).enumerate() {
            let mut times = [Duration::ZERO; 2];
            for page in 0..PAGES {
                for turn in [round + page, round + page + 1] {
                    let side = turn % 2;
                    times[side] += sides[side].read(list, round * PAGES + page).await?;
                }
            }
            ratios.push(times[1].as_secs_f64() / times[0].as_secs_f64());
            took.push(times[1].as_secs_f64() / PAGES as f64 * 1e6);
        }
    }
    let mut lines: Vec<Line> = LISTS
        .iter()
        .zip(ratios.into_iter().zip(took))
        .map(|(list, (ratios, took))| {
            Line::new(format!("a page of {PAGE} of {many} rows ÷ of {few}: {list}"), Goal::AtMost(1.1), Rounds::of(ratios))
                .remark(format!("{:.0} µs a page", Rounds::of(took).median))
        })
        .collect();
    let begun = Instant::now();
    let nobody = GrantFilter::builder().search("nobody at all").limit(PAGE).build();
    let found = sides[1].desk.ws.access_grants().list(&nobody).await?;
    if !found.items.is_empty() {
        return Err("somebody was found".into());
    }
    let line = format!("seconds of a search that finds nothing among {many} grants");
    lines.push(Line::new(line, Goal::None, Rounds::once(begun.elapsed().as_secs_f64())).remark("no index: every row is read"));
    for house in sides {
        house.desk.store.close().await;
    }
    Ok(lines)
}

/// A database with so many grants.
struct House {
    desk: Desk,
    count: usize,
    first: Grant,
}

/// The id of the `n`-th row that is copied: in the order of the numbers, after all that are there.
fn id(n: usize) -> Uuid {
    Uuid::from_u128((0xf000_0000_0000_7000_8000 << 48) | n as u128)
}

/// The same grant again, under another id, and its event.
fn again(guests: &[Changeset], n: usize) -> Option<(Row, seam_core::state::EventDraft)> {
    let guest = guests.get(if n.is_multiple_of(2) { 0 } else { 1 + n / 2 % (guests.len() - 1) })?;
    let grant = guest.put.iter().find(|row| matches!(row.body, Body::Grant(_)))?;
    let mut event = guest.events.first()?.clone();
    event.id = id(n).into();
    Some((Row { id: id(n), ..grant.clone() }, event))
}

impl House {
    async fn new(folder: &Path, template: &Template, count: usize) -> Result<Self, Failed> {
        let file = folder.join(format!("{count}.db"));
        let desk = template.open(&file, SqliteOptions::new()).await?;
        let guests = Arc::new(decide(&desk, GUESTS).await?);
        let (desk, _) = (template.reopen(&file).await?, desk);
        let (store, of) = (Arc::clone(&desk.store), Arc::clone(&guests));
        callers::all(CALLERS, count / IN_EACH, move |n| {
            let (store, guests) = (Arc::clone(&store), Arc::clone(&of));
            async move {
                let rows = (n * IN_EACH..(n + 1) * IN_EACH).map(|n| again(&guests, n).ok_or("a guest has no grant"));
                let (put, events) = rows.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
                let set = Changeset { id: id(n).into(), only_if: Vec::new(), put, events, ..guests[0].clone() };
                store.commit(set).await.map(drop).map_err(|e| format!("{e:?}").into())
            }
        })
        .await?;
        desk.store.close().await;
        drop(desk);
        // Opened anew: what was written last is no more in memory than what was written first.
        let desk = template.reopen(&file).await?;
        let first = guests[0].put.iter().find_map(|row| if let Body::Grant(g) = &row.body { Some(g.clone()) } else { None });
        Ok(Self { desk, count, first: first.ok_or("a guest has no grant")? })
    }

    /// Reads a page from somewhere in a list.
    async fn read(&self, list: usize, random: usize) -> Result<Duration, Failed> {
        // Where a full page is still to come, in the list that has every second grant as well.
        let from = random * 7_919 % (self.count / 2 - 2 * PAGE + 1);
        let grants = || GrantFilter::builder().limit(PAGE).page_cursor(id(from).simple().to_string());
        let begun = Instant::now();
        let read = match list {
            0 => full(self.desk.ws.access_grants().list(&grants().build()).await?),
            1 => full(self.desk.ws.access_grants().list(&grants().user_identity_id(self.first.identity).build()).await?),
            2 => full(self.desk.ws.access_grants().list(&grants().maybe_reservation_key(self.first.reservation.clone()).build()).await?),
            _ => self.desk.ws.events().list(from as u64, PAGE).await?.len(),
        };
        if read != PAGE {
            return Err(format!("a page of {:?} has {read} rows", LISTS[list]).into());
        }
        Ok(begun.elapsed())
    }
}

fn full(page: Page<AccessGrant>) -> usize {
    page.items.len()
}
