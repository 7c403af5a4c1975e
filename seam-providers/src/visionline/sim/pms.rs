//! The PMS port of the fake. It reads and writes text by itself: what the provider's codec gets wrong, it does not.
use super::cards::{Cannot, Role, Wish};
use super::hotel::Hotel;
use crate::net::sim::{Conversation, Wire};
use async_trait::async_trait;
use bytes::BytesMut;
use chrono::NaiveDateTime;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use tokio_util::codec::Decoder;

pub(super) struct Pms(pub(super) Arc<Hotel>);

/// Cuts bytes into texts: up to LF, or between STX and ETX.
struct Texts;

impl Decoder for Texts {
    type Item = Vec<u8>;
    type Error = io::Error;
    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Vec<u8>>> {
        let end = bytes.iter().position(|b| matches!(b, b'\n' | 3));
        Ok(end.map(|end| bytes.split_to(end + 1).to_vec()))
    }
}

fn result(why: Cannot) -> u32 {
    match why {
        Cannot::NoSuchEncoder => 7,
        // Our choice: no code of the known ones says it.
        Cannot::NoSuchDoor | Cannot::NoSuchEndpoint | Cannot::BadTime => 72,
        Cannot::NoCard => 41,
        Cannot::Foreign => 17,
        Cannot::ValidCard => 18,
        Cannot::Removed => 20,
        Cannot::Offline => 40,
        Cannot::Busy => 4,
    }
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:02X}", bytes.iter().fold(0, |sum, b| sum ^ b))
}

#[async_trait]
impl Conversation for Pms {
    async fn talk(&self, mut wire: Wire) {
        if !self.0.plan().pms_allowed {
            return;
        }
        while let Ok(Some(mut text)) = wire.receive(&mut Texts).await {
            let plan = self.0.plan();
            if plan.pms_serial {
                let taken = self.unframe(&mut text);
                let said = if taken { wire.take(&[6]).await } else { wire.write(&[0x15]).await };
                if said.is_err() {
                    return;
                }
                if !taken {
                    continue;
                }
            }
            wire.asked().await;
            let Ok(text) = String::from_utf8(text) else { return };
            let Some(mut answer) = self.answer(text.trim_end()).await else { return };
            if plan.pms_serial {
                let framed = format!("\u{2}{answer}");
                answer = format!("{framed}{}\u{3}", checksum(framed.as_bytes()));
            } else if plan.pms_lines_end {
                answer.push_str("\r\n");
            }
            if wire.answer(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

impl Pms {
    /// Takes a frame apart; `false`: it is not taken.
    fn unframe(&self, frame: &mut Vec<u8>) -> bool {
        let noisy = self.0.change(|state| {
            let noisy = state.plan.pms_naks > 0;
            state.plan.pms_naks = state.plan.pms_naks.saturating_sub(1);
            noisy
        });
        let Some((body, [d1, d2, 3])) = frame.split_last_chunk::<3>() else { return false };
        let right = body.first() == Some(&2) && checksum(body).as_bytes() == [*d1, *d2];
        if noisy || !right {
            return false;
        }
        *frame = body[1..].to_vec();
        true
    }

    /// `None`: what came makes no sense, and is not answered (our choice).
    async fn answer(&self, text: &str) -> Option<String> {
        let mut parts = text.strip_suffix(';')?.split(';');
        let command = parts.next()?;
        let tags: BTreeMap<&str, &str> = parts.map(|part| part.split_at_checked(2)).collect::<Option<_>>()?;
        let address = *tags.get("EA")?;
        let encoder = self.0.change(|state| state.plan.encoders.iter().find(|(_, a)| a == address).map(|(name, _)| name.clone()));
        let echo = format!("{command};EA{address};");
        let Some(encoder) = encoder else { return Some(format!("{echo}RC7;")) };
        let done = match command {
            "CCA" => self.create(&tags, &encoder).await,
            "CCB" => self.read(&encoder).await,
            _ => Err(Cannot::BadTime),
        };
        Some(match done {
            Ok(rest) => format!("{echo}{rest}"),
            Err(why) => format!("{echo}RC{};ET{why:?};", result(why)),
        })
    }

    async fn create(&self, tags: &BTreeMap<&str, &str>, encoder: &str) -> Result<String, Cannot> {
        let time = |tag: &str| tags.get(tag).map(|t| time_of(t).ok_or(Cannot::BadTime)).transpose();
        let ends = time("CO")?.ok_or(Cannot::BadTime)?;
        let starts = time("CI")?.unwrap_or_else(|| self.0.wall_clock());
        let mut doors: Vec<String> = tags.get("GR").map(|room| (*room).to_owned()).into_iter().collect();
        for number in tags.get("CR").into_iter().flat_map(|list| list.split(',')) {
            let number: u16 = number.parse().map_err(|_| Cannot::NoSuchDoor)?;
            let name = self.0.change(|state| state.plan.doors.iter().find(|d| d.number == Some(number)).map(|d| d.name.clone()));
            doors.push(name.ok_or(Cannot::NoSuchDoor)?);
        }
        let holder = [tags.get("UF"), tags.get("US")].into_iter().flatten().copied().collect::<Vec<_>>().join(" ");
        let role = if tags.contains_key("JR") { Role::AutoJoin } else { Role::Override };
        let wish = Wish { holder, starts, ends, doors, role, endpoint: None };
        // Whether the port protects valid cards is not known; it does not here.
        let (_, serial) = self.0.encode(encoder, &wish, true).await?;
        let serial = if tags.contains_key("SR") { format!("SR{serial}FF;") } else { String::new() };
        Ok(format!("RC0;{serial}"))
    }

    async fn read(&self, encoder: &str) -> Result<String, Cannot> {
        let (serial, card) = self.0.read(encoder).await?;
        // What a blank card is answered with is not known.
        let Some(card) = card else { return Err(Cannot::Foreign) };
        let now = self.0.wall_clock();
        let code = match () {
            () if card.overridden => 46,
            () if now >= card.ends => 44,
            () => 13,
        };
        let room = card.key.rooms.keys().next().cloned().unwrap_or_default();
        let (first, last) = card.holder.split_once(' ').unwrap_or((&card.holder, ""));
        let (starts, ends) = (card.starts.format("%Y%m%d%H%M"), card.ends.format("%Y%m%d%H%M"));
        Ok(format!("RC{code};GR{room};UF{first};US{last};CI{starts};CO{ends};SR{serial}FF;"))
    }
}

fn time_of(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M").ok()
}
