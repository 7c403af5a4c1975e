//! A page of a list with a million rows, against one with a thousand.
use crate::callers;
use crate::commits::CALLERS;
use crate::desk::{Desk, Template};
use crate::record::decide;
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::api::{GrantFilter, UserFilter};
use seam_core::model::Page;
use seam_core::state::{AcsUser, Body, Changeset, EventDraft, Grant, Row};
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
/// Grants of a changeset, each with a user and an event.
const IN_EACH: usize = 50;
/// Pages of each list in each round, on each side.
const PAGES: usize = 10;

/// The lists that are read.
const LISTS: [&str; 5] =
    ["all grants", "grants of a person with half of them", "grants of a reservation with half of them", "users of a system", "events"];

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
    let mut nobody = GrantFilter::builder().search("nobody at all").limit(PAGE).build();
    loop {
        let page = sides[1].desk.ws.access_grants().list(&nobody).await?;
        if !page.items.is_empty() {
            return Err("somebody was found".into());
        }
        nobody.page_cursor = page.pagination.next_page_cursor;
        if nobody.page_cursor.is_none() {
            break;
        }
    }
    let line = format!("seconds of a search that finds nothing among {many} grants");
    lines.push(Line::new(line, Goal::None, Rounds::once(begun.elapsed().as_secs_f64())).remark("no index: every row is read"));
    for house in sides {
        house.desk.store.close().await;
    }
    Ok(lines)
}

/// A database with so many grants, users and events.
struct House {
    desk: Desk,
    count: usize,
    first: Grant,
    /// Events before those of the copies: their commits hold fewer each.
    told: u64,
    /// By list: what its cursors end with, which is the same for all its pages.
    endings: Vec<String>,
}

/// The id of the `n`-th row that is copied: in the order of the numbers, after all that are there.
fn id(n: usize) -> Uuid {
    Uuid::from_u128((0xf000_0000_0000_7000_8000 << 48) | n as u128)
}

/// The same grant again, under another id, and its event.
fn again(guests: &[Changeset], n: usize) -> Option<(Row, EventDraft)> {
    let guest = guests.get(if n.is_multiple_of(2) { 0 } else { 1 + n / 2 % (guests.len() - 1) })?;
    let grant = guest.put.iter().find(|row| matches!(row.body, Body::Grant(_)))?;
    let mut event = guest.events.first()?.clone();
    event.id = id(n).into();
    Some((Row { id: id(n), ..grant.clone() }, event))
}

impl House {
    async fn new(folder: &Path, template: &Template, count: usize) -> Result<Self, Failed> {
        let file = folder.join(format!("{count}.db"));
        let guests = Arc::new(decide(&template.open(&file, SqliteOptions::new()).await?, GUESTS).await?);
        let desk = template.reopen(&file, SqliteOptions::new()).await?;
        let system = desk.ws.acs().systems().list(None, 1).await?.items.pop().ok_or("there is no system")?;
        let user = AcsUser {
            system: system.acs_system_id,
            account: system.connected_account_id,
            identity: None,
            profile: None,
            target: Uuid::nil(),
            groups: Vec::new(),
            schedule: None,
            suspended: false,
            by_hand: true,
            misfits: Vec::new(),
            before: None,
            created_at: system.created_at,
            deleted_at: None,
        };
        let mut told = 0;
        while let Some((last, _)) = desk.ws.events().list(told, 1_000).await?.last() {
            told = *last;
        }
        let (store, of) = (Arc::clone(&desk.store), Arc::clone(&guests));
        callers::all(CALLERS, count / IN_EACH, move |n| {
            let (store, guests, user) = (Arc::clone(&store), Arc::clone(&of), user.clone());
            async move {
                let rows = (n * IN_EACH..(n + 1) * IN_EACH).map(|n| again(&guests, n).ok_or("a guest has no grant"));
                let (mut put, events): (Vec<Row>, Vec<_>) = rows.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
                let body = Body::User(user);
                let users = (n * IN_EACH..(n + 1) * IN_EACH).map(|n| Row { id: id(n + MANY), body: body.clone(), ..put[0].clone() });
                let users: Vec<_> = users.collect();
                put.extend(users);
                let set = Changeset { id: id(n).into(), only_if: Vec::new(), put, events, ..guests[0].clone() };
                store.commit(set).await.map(drop).map_err(|e| format!("{e:?}").into())
            }
        })
        .await?;
        desk.store.close().await;
        drop(desk);
        // Opened anew: what was written last is no more in memory than what was written first.
        let desk = template.reopen(&file, SqliteOptions::new()).await?;
        let first = guests[0].put.iter().find_map(|row| if let Body::Grant(g) = &row.body { Some(g.clone()) } else { None });
        let mut house = Self { desk, count, first: first.ok_or("a guest has no grant")?, told, endings: Vec::new() };
        for list in 0..LISTS.len() {
            let cursor = house.page(list, None).await?.1.unwrap_or_default();
            house.endings.push(cursor.get(32..).unwrap_or_default().to_owned());
        }
        house.rest().await;
        Ok(house)
    }

    /// Waits until the store has learnt in the background what its file does not hold.
    async fn rest(&self) {
        loop {
            let before = callers::processor_time();
            tokio::time::sleep(Duration::from_millis(500)).await;
            if callers::processor_time().saturating_sub(before) < Duration::from_millis(50) {
                return;
            }
        }
    }

    /// How many rows a page of a list has, and the cursor of the next.
    async fn page(&self, list: usize, from: Option<usize>) -> Result<(usize, Option<String>), Failed> {
        let after = |n: usize| from.map(|from| format!("{}{}", id(from + n).simple(), self.endings[list]));
        let grants = || GrantFilter::builder().limit(PAGE).maybe_page_cursor(after(0));
        let ws = &self.desk.ws;
        Ok(match list {
            0 => end(ws.access_grants().list(&grants().build()).await?),
            1 => end(ws.access_grants().list(&grants().user_identity_id(self.first.identity).build()).await?),
            2 => end(ws.access_grants().list(&grants().maybe_reservation_key(self.first.reservation.clone()).build()).await?),
            3 => end(ws.acs().users().list(&UserFilter::builder().limit(PAGE).maybe_page_cursor(after(MANY)).build()).await?),
            _ => (ws.events().list(self.told + from.unwrap_or(0) as u64, PAGE).await?.len(), None),
        })
    }

    /// Reads a page from somewhere in a list.
    async fn read(&self, list: usize, random: usize) -> Result<Duration, Failed> {
        // Where a full page is still to come, in the list that has every second grant as well.
        let from = random * 7_919 % (self.count / 2 - 2 * PAGE + 1);
        let begun = Instant::now();
        let (read, _) = self.page(list, Some(from)).await?;
        let took = begun.elapsed();
        if read != PAGE {
            return Err(format!("a page of {:?} has {read} rows", LISTS[list]).into());
        }
        Ok(took)
    }
}

fn end<T>(page: Page<T>) -> (usize, Option<String>) {
    (page.items.len(), page.pagination.next_page_cursor)
}
