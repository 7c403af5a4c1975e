//! The web interface of the fake.
use super::LOGIN;
use super::cards::{Cannot, Role, Wish};
use super::hotel::{EncodeAnswer, Hotel, SessionState};
use crate::net::sim::{HttpAnswer, HttpAsked, HttpService};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Digest;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The codes of the fake and what they mean: HTTP status times 100 and a number, as another maker's fake has them. Our choice, all of them.
pub(super) const CODES: &[(u32, &str)] = &[
    (40401, "unknown_door"),
    (40402, "unknown_encoder"),
    (40403, "unknown_endpoint"),
    (40901, "no_card"),
    (40902, "wrong_card"),
    (40903, "valid_card"),
    (40904, "card_removed"),
    (40905, "encoder_offline"),
    (40906, "encoder_busy"),
];

pub(super) struct Web(pub(super) Arc<Hotel>);

fn error(code: u32, message: &str) -> HttpAnswer {
    let status = u16::try_from(code / 100).unwrap_or(500);
    HttpAnswer::json(status, &json!({"status": status, "code": code, "resource": "", "message": message, "developerMessage": message}))
}

fn cannot(why: Cannot) -> HttpAnswer {
    match why {
        Cannot::NoSuchDoor => error(40401, "no such door"),
        Cannot::NoSuchEncoder => error(40402, "no such encoder"),
        Cannot::NoSuchEndpoint => error(40403, "no such endpoint"),
        Cannot::BadTime => error(40001, "the times make no sense"),
        Cannot::NoCard => error(40901, "no card"),
        Cannot::Foreign => error(40902, "the card cannot be used"),
        Cannot::ValidCard => error(40903, "the card is valid"),
        Cannot::Removed => error(40904, "the card was removed"),
        Cannot::Offline => error(40905, "the encoder is offline"),
        Cannot::Busy => error(40906, "the encoder is busy"),
    }
}

#[async_trait]
impl HttpService for Web {
    async fn serve(&self, asked: HttpAsked) -> HttpAnswer {
        let refusal = self.0.change(|state| {
            let (left, status, header) = state.refusals.clone();
            state.refusals.0 = left.saturating_sub(1);
            (left > 0).then_some((status, header))
        });
        if let Some((status, header)) = refusal {
            let answer = HttpAnswer::new(status);
            return header.into_iter().fold(answer, |answer, (name, value)| answer.with_header(name, value));
        }
        if (asked.method.as_str(), asked.path()) == ("POST", "/api/v1/sessions") {
            return self.log_in(&asked);
        }
        match self.known(&asked) {
            Err(refused) => refused,
            Ok(session) => self.route(&asked, &session).await,
        }
    }
}

impl Web {
    fn log_in(&self, asked: &HttpAsked) -> HttpAnswer {
        if let Err(refused) = body_is_whole(asked) {
            return refused;
        }
        let login: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        if (login["username"].as_str(), login["password"].as_str()) != (Some(LOGIN.0), Some(LOGIN.1)) {
            return error(40100, "wrong login");
        }
        let now = self.0.clock.now();
        let (id, key) = self.0.change(|state| {
            state.logins += 1;
            let (id, key) = (format!("{:08x}", 0x4f1c_2d00 + state.logins), format!("key-of-session-{}", state.logins));
            state.sessions.insert(id.clone(), SessionState { key: key.clone(), used: now });
            (id, key)
        });
        HttpAnswer::json(201, &json!({"id": id, "accessKey": key}))
    }

    /// The session of a request, if its signature is right.
    fn known(&self, asked: &HttpAsked) -> Result<String, HttpAnswer> {
        let refused = |message: &str| error(40101, message);
        let given = asked.header("authorization").and_then(|a| a.strip_prefix("AWS ")).and_then(|a| a.split_once(':'));
        let (id, signature) = given.ok_or_else(|| refused("no signature"))?;
        let now = self.0.clock.now();
        let key = self.0.change(|state| {
            let life = state.plan.session_life;
            state.sessions.retain(|_, session| now - session.used < life);
            let session = state.sessions.get_mut(id)?;
            session.used = now;
            Some(session.key.clone())
        });
        let key = key.ok_or_else(|| refused("no such session"))?;
        let (date, line) = match (asked.header("x-aah-date"), asked.header("date")) {
            (Some(date), _) => (date, format!("X-Aah-Date:{date}")),
            (None, Some(date)) => (date, date.to_owned()),
            (None, None) => return Err(refused("no date")),
        };
        self.in_time(date).ok_or_else(|| refused("the date is wrong"))?;
        // Strict: a query that is not in order is not the canonical one.
        let pairs: Vec<&str> = asked.query().split('&').collect();
        if !pairs.is_sorted() {
            return Err(refused("the query is not sorted"));
        }
        body_is_whole(asked)?;
        let text = format!(
            "{}\n{}\n{}\n{line}\n{}",
            asked.method,
            asked.header("content-md5").unwrap_or_default(),
            asked.header("content-type").unwrap_or_default(),
            asked.target
        );
        let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).map_err(|_| refused("no key"))?;
        mac.update(text.as_bytes());
        let given = STANDARD.decode(signature).map_err(|_| refused("no signature"))?;
        mac.verify_slice(&given).map_err(|_| refused("the signature is wrong"))?;
        Ok(id.to_owned())
    }

    fn in_time(&self, date: &str) -> Option<()> {
        let at = DateTime::parse_from_rfc2822(date).ok()?.with_timezone(&Utc);
        let (tolerance, fast) = self.0.change(|state| (state.plan.date_tolerance, state.fast));
        ((self.0.clock.now() + fast - at).abs() <= tolerance).then_some(())
    }

    async fn route(&self, asked: &HttpAsked, session: &str) -> HttpAnswer {
        let query: BTreeMap<String, String> = asked.query().split('&').filter_map(pair).collect();
        let names: Vec<&str> = query.keys().map(String::as_str).collect();
        let path: Vec<&str> = asked.path().trim_start_matches('/').split('/').collect();
        match (asked.method.as_str(), path.as_slice(), names.as_slice()) {
            ("DELETE", ["api", "v1", "sessions", id], []) if *id == session => {
                self.0.change(|state| state.sessions.remove(session));
                HttpAnswer::new(201)
            }
            ("GET", ["api", "v1", "doors"], ["details"]) => self.doors(),
            ("GET", ["api", "v1", "cards"], ["guestDoor", "validTime"]) => self.cards_at(&query["guestDoor"], &query["validTime"]),
            ("GET", ["api", "v1", "cards"], ["serialNumber"]) => self.cards_of(&query["serialNumber"]),
            ("POST", ["api", "v1", "cards"], _) => self.make(&query, &asked.body).await,
            // What is not known here is not known to be there.
            _ => error(40499, &format!("the fake knows no {} {}", asked.method, asked.target)),
        }
    }

    fn doors(&self) -> HttpAnswer {
        let doors: Vec<Value> = self.0.change(|state| {
            let door = |(n, d): (usize, &super::DoorPlan)| {
                json!({
                    "id": d.name, "doorName": d.name, "localName": "", "doorID": n, "doorCategory": d.category, "doorGroup": "All",
                    "doorGroupID": 1, "doorType": 0, "online": false, "openTime": 5, "autoLock": true,
                })
            };
            state.plan.doors.iter().enumerate().map(door).collect()
        });
        HttpAnswer::json(200, &Value::Array(doors))
    }

    fn cards_at(&self, door: &str, time: &str) -> HttpAnswer {
        let Some(at) = time_of(time) else { return cannot(Cannot::BadTime) };
        let now = self.0.wall_clock();
        self.0.change(|state| match state.door(door) {
            Some(d) if d.category == "guest" => {
                let valid = state.cards.iter().filter(|c| c.key.rooms.contains_key(door) && c.starts <= at && at < c.ends);
                HttpAnswer::json(200, &Value::Array(valid.map(|c| c.shown(now)).collect()))
            }
            _ => cannot(Cannot::NoSuchDoor),
        })
    }

    fn cards_of(&self, serial: &str) -> HttpAnswer {
        let now = self.0.wall_clock();
        let cards =
            self.0.change(|state| state.cards.iter().filter(|c| c.serial.as_deref() == Some(serial)).map(|c| c.shown(now)).collect());
        HttpAnswer::json(200, &Value::Array(cards))
    }

    async fn make(&self, query: &BTreeMap<String, String>, body: &[u8]) -> HttpAnswer {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let is = |name: &str| query.get(name).is_some_and(|v| v == "true");
        let role = match (is("override"), is("autoJoin")) {
            (true, false) => Role::Override,
            (false, true) => Role::AutoJoin,
            _ => return error(40002, "say override or autoJoin"),
        };
        let times = body["expireTime"].as_str().and_then(time_of).map(|ends| {
            let starts = body["startTime"].as_str().and_then(time_of);
            (starts.unwrap_or_else(|| self.0.wall_clock()), ends)
        });
        let Some((starts, ends)) = times else { return cannot(Cannot::BadTime) };
        if body["format"] != "rfid48" {
            return error(40003, "the fake makes rfid48 only");
        }
        let operations = body["doorOperations"].as_array().cloned().unwrap_or_default();
        if operations.iter().any(|o| o["operation"] != "guest") {
            return error(40004, "the fake knows the operation guest only");
        }
        let doors = operations.iter().filter_map(|o| o["doors"].as_array()).flatten();
        let wish = Wish {
            holder: body["cardHolder"].as_str().unwrap_or_default().to_owned(),
            starts,
            ends,
            doors: doors.filter_map(Value::as_str).map(str::to_owned).collect(),
            role,
            endpoint: body["endPointID"].as_str().map(str::to_owned),
        };
        let serial = body["serialNumbers"][0].as_str();
        let made = match query.get("action").map(String::as_str) {
            Some("encode") => {
                let encoder = query.get("encoder").map(String::as_str).unwrap_or_default();
                let over_valid = is("overwriteValidCard");
                let made = self.0.encode(encoder, &wish, over_valid).await;
                let answer = self.0.plan().encode_answer;
                made.map(|(id, serial)| match answer {
                    EncodeAnswer::Empty => Value::Null,
                    EncodeAnswer::Card => json!({"credentialID": id, "serialNumbers": [format!("{serial}FF")]}),
                })
            }
            Some("mobileAccess") if wish.endpoint.is_some() => {
                self.0.make(&wish, None).map(|card| json!({"credentialId": card["credentialID"]}))
            }
            None if serial.is_some() && is("pendingImage") => self.0.make(&wish, serial).map(|mut card| {
                // Not the image of any lock.
                card["encryptedImage"] = json!("00".repeat(48));
                card
            }),
            None if serial.is_some() => self.0.make(&wish, serial),
            _ => return error(40005, "the fake knows no such action"),
        };
        match made {
            Ok(Value::Null) => HttpAnswer::new(201),
            Ok(card) => HttpAnswer::json(201, &card),
            Err(why) => cannot(why),
        }
    }
}

/// The MD5 of the body is there and right.
fn body_is_whole(asked: &HttpAsked) -> Result<(), HttpAnswer> {
    let given = asked.header("content-md5");
    let right = STANDARD.encode(Md5::digest(&asked.body));
    match given {
        None if asked.body.is_empty() => Ok(()),
        Some(given) if given == right => Ok(()),
        _ => Err(error(40006, "Content-MD5 is missing or wrong")),
    }
}

fn time_of(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M").ok()
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    Some((name.to_owned(), decoded(value)?))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).ok()
}
