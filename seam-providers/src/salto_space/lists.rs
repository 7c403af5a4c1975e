//! What SHIP lists: users, doors, the audit trail.
//!
//! A page begins at an id. Whether that id itself is on the page is not known, so what was seen before is passed over, and a page with nothing but that id is
//! the last one.
use super::ship::Request;
use super::users::{PAGE, USUAL, Users, key_handle, levels, pin_handle, window_of};
use super::xml::Node;
use crate::net::Deadline;
use seam_core::provider::{Denial, DoorClass, EntranceReport, Failure, Handle, Held, HeldPage, Kind, LogEntry, LogPage, Reason, Tag};
use secrecy::SecretString;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Events of a page of the audit trail.
const EVENTS: usize = 500;
/// Doors whose state is asked for at once.
const DOORS: usize = 200;
/// Pages that are read before somebody is told that the list has no end.
const MOST_PAGES: usize = 2000;

/// What is kept of a door until the list is whole.
struct DoorShown {
    name: String,
    description: String,
    audit_on_keys: bool,
}

impl DoorShown {
    fn of(door: &Node) -> Self {
        let text = |name: &str| door.text_of(name).to_owned();
        Self { name: text("Name"), description: text("Description"), audit_on_keys: door.flag("AuditOnKeys") }
    }
}

impl Users {
    fn usual(&self) -> Deadline {
        Deadline::after(&self.clock, USUAL)
    }

    /// A user's record. `None` only when the whole list was read and she is not in it: where a page begins is not known for sure.
    pub(super) async fn read_user(&self, id: &str, deadline: &Deadline) -> Result<Option<Node>, Failure> {
        let first = self.user_page(Some(id), 1, deadline).await?;
        if let Some(user) = take_user(first, id) {
            return Ok(Some(user));
        }
        let mut from: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = self.user_page(from.as_deref(), PAGE, deadline).await?;
            let last = last_id(&page, "SaltoDBUserList", "SaltoDBUser", "ExtUserID");
            let (end, alone) = (page.flag("EOF"), count(&page, "SaltoDBUserList") <= 1);
            if let Some(user) = take_user(page, id) {
                return Ok(Some(user));
            }
            if end || last.is_none() {
                return Ok(None);
            }
            if last == from {
                return if alone { Ok(None) } else { Err(endless()) };
            }
            from = last;
        }
        Err(endless())
    }

    async fn user_page(&self, from: Option<&str>, most: usize, deadline: &Deadline) -> Result<Node, Failure> {
        let mut request = Request::new("SaltoDBUserList.Read").with("MaxCount", most.to_string());
        if let Some(from) = from {
            request = request.with("StartingFromExtUserID", from);
        }
        let page = self.client.ask(&request.with("ReturnMembership_User_Group", "1"), deadline).await?;
        with_list(page, "SaltoDBUserList")
    }

    /// All doors, those that are online by their control unit as such.
    pub(super) async fn entrances(&self) -> Result<Vec<EntranceReport>, Failure> {
        let deadline = self.usual();
        let (mut doors, mut from): (BTreeMap<String, DoorShown>, Option<String>) = (BTreeMap::new(), None);
        // All pages are kept until the last one is there.
        let mut bytes = 0;
        for page in 0.. {
            if page == MOST_PAGES {
                return Err(endless());
            }
            let mut request = Request::new("SaltoDBDoorList.Read").with("MaxCount", PAGE.to_string());
            if let Some(from) = &from {
                request = request.with("StartingFromExtDoorID", from.as_str());
            }
            let answer = with_list(self.client.ask_on(&request, &deadline, &mut bytes).await?, "SaltoDBDoorList")?;
            let last = last_id(&answer, "SaltoDBDoorList", "SaltoDBDoor", "ExtDoorID");
            let (before, alone) = (doors.len(), count(&answer, "SaltoDBDoorList") <= 1);
            let list = answer.child("SaltoDBDoorList").map(|l| l.children.as_slice()).unwrap_or_default();
            doors.extend(list.iter().map(|d| (d.text_of("ExtDoorID").to_owned(), DoorShown::of(d))).filter(|(id, _)| !id.is_empty()));
            if answer.flag("EOF") || last.is_none() || doors.len() == before && alone {
                break;
            }
            if doors.len() == before {
                return Err(endless());
            }
            from = last;
        }
        let online = self.online(&doors, &deadline, &mut bytes).await?;
        Ok(doors.into_iter().map(|(id, door)| self.entrance(&id, &door, online.contains(&door.name) || online.contains(&id))).collect())
    }

    fn entrance(&self, id: &str, door: &DoorShown, online: bool) -> EntranceReport {
        let class = if online { DoorClass::Online } else { DoorClass::Common };
        let name = Some(door.name.as_str()).filter(|n| !n.is_empty()).unwrap_or(id);
        let mut report = EntranceReport::new(Handle::text(id), name, class);
        let can = &self.settings;
        report.card = !can.encoders.is_empty();
        report.code = can.keypads.iter().any(|k| k == id);
        let shown = [
            ("door_name", json!(door.name)),
            ("door_description", json!(door.description)),
            ("door_id", json!(id)),
            ("audit_on_keys", json!(door.audit_on_keys)),
        ];
        report.metadata.extend(shown.map(|(name, value)| (name.to_owned(), value)));
        report
    }

    /// What the list of states calls doors with a control unit that answers. A site without online doors may lack the licence for the question.
    async fn online(
        &self,
        doors: &BTreeMap<String, DoorShown>,
        deadline: &Deadline,
        bytes: &mut usize,
    ) -> Result<BTreeSet<String>, Failure> {
        let (mut online, ids) = (BTreeSet::new(), doors.keys().collect::<Vec<_>>());
        for some in ids.chunks(DOORS) {
            let list = some.iter().fold(Node::new("ExtDoorIDList"), |list, id| list.with("ExtDoorID", id.as_str()));
            let answer = match self.client.ask_on(&Request::new("OnlineDoor.GetOnlineStatusList").with_node(list), deadline, bytes).await {
                Err(f) if f.vendor_code.as_deref() == Some("13") => return Ok(online),
                answer => answer?,
            };
            let states = answer.child("OnlineDoorStatusList").into_iter().flat_map(|l| l.all("OnlineDoorStatus"));
            // A control unit on the network (0) that is spoken with now (1): its decisions are made with what it is told now. One that is cut off (0), or
            // of which nothing is known (-1), decides with what it was told before.
            let spoken_with = states.filter(|s| s.text_of("DoorType") == "0" && s.text_of("CommStatus") == "1");
            online.extend(spoken_with.map(|s| s.text_of("DoorID").to_owned()));
        }
        Ok(online)
    }

    pub(super) async fn held(&self, cursor: Option<&str>) -> Result<HeldPage, Failure> {
        let page = self.user_page(cursor, PAGE, &self.usual()).await?;
        let last = last_id(&page, "SaltoDBUserList", "SaltoDBUser", "ExtUserID");
        let mut things = Vec::new();
        for user in page.child("SaltoDBUserList").into_iter().flat_map(|l| l.all("SaltoDBUser")) {
            let id = user.text_of("ExtUserID");
            if id.is_empty() || cursor == Some(id) {
                continue;
            }
            self.things_of(id, user, &mut things);
        }
        if !page.flag("EOF") && last.as_deref() == cursor && count(&page, "SaltoDBUserList") > 1 {
            return Err(endless());
        }
        // Without anything new there is nowhere to go on from.
        let next = last.filter(|last| !page.flag("EOF") && cursor != Some(last.as_str()));
        Ok(HeldPage::new(things, next))
    }

    fn things_of(&self, id: &str, user: &Node, things: &mut Vec<Held>) {
        let mut held = Held::new(Kind::User, Handle::text(id), Some(Tag(id.to_owned())));
        held.name = Some(format!("{} {}", user.text_of("FirstName"), user.text_of("LastName")).trim().to_owned());
        if user.flag("UserExpiration.Enabled") {
            held.window = window_of(self, user.text_of("UserActivation"), user.text_of("UserExpiration"));
        }
        things.push(held);
        things.extend(levels(user).map(|level| Held::new(Kind::Access, Handle::text(level), Some(Tag(level.to_owned())))));
        if self.report().pin.is_some() && !user.text_of("PINCode").is_empty() {
            let mut held = Held::new(Kind::Code, pin_handle(id), None);
            held.pin = Some(SecretString::from(user.text_of("PINCode")));
            things.push(held);
        }
        if !self.settings.encoders.is_empty() && user.flag("CurrentKeyExists") {
            things.push(Held::new(Kind::Card, key_handle(id), None));
        }
    }

    pub(super) async fn log(&self, cursor: Option<&str>) -> Result<LogPage, Failure> {
        let from = match cursor.map(str::parse::<u64>) {
            None => 0,
            Some(Ok(last)) => last.saturating_add(1),
            Some(Err(_)) => return Err(Failure::refused(Reason::Invalid, "such a cursor was never given")),
        };
        let request = Request::new("SaltoDBAuditTrail.Read")
            .with("MaxCount", EVENTS.to_string())
            .with("StartingFromEventID", from.to_string())
            // Ids, not names: a name may change. Which number means which is inferred; both are understood.
            .with("ShowDoorIDAs", "1")
            .with("ShowUserIDAs", "1")
            .with("DescendingOrder", "0")
            .with("ShowTimeInUTC", "1");
        let answer = self.client.ask(&request, &self.usual()).await?;
        let (mut entries, mut last) = (Vec::new(), None);
        for event in answer.child("SaltoDBAuditTrail").into_iter().flat_map(|t| t.all("SaltoDBAuditTrailEvent")) {
            let Ok(id) = event.text_of("EventID").parse::<u64>() else { continue };
            if id < from {
                continue;
            }
            last = last.max(Some(id));
            entries.extend(entry(event).map(|e| (id, e)));
        }
        entries.sort_by_key(|(id, _)| *id);
        Ok(LogPage::new(entries.into_iter().map(|(_, e)| e).collect(), last.map(|id| id.to_string()).or_else(|| cursor.map(str::to_owned))))
    }
}

fn endless() -> Failure {
    Failure::nothing(Reason::Garbled, "the list has no end")
}

/// A page with its list, or with the word that there is none. Because of anything else nobody is absent, and no door is gone.
fn with_list(page: Node, list: &str) -> Result<Node, Failure> {
    match page.child(list).is_some() || page.flag("EOF") {
        true => Ok(page),
        false => Err(Failure::nothing(Reason::Garbled, "the answer has no list")),
    }
}

/// How many things are on a page. One that is on it alone, and was seen before, is the end of a list whose pages begin with the id that was asked for; more of
/// them are a page that comes again and again.
fn count(page: &Node, list: &str) -> usize {
    page.child(list).map_or(0, |l| l.children.len())
}

fn take_user(mut page: Node, id: &str) -> Option<Node> {
    let list = page.children.iter_mut().find(|c| c.name == "SaltoDBUserList")?;
    let at = list.children.iter().position(|u| u.name == "SaltoDBUser" && u.text_of("ExtUserID") == id)?;
    Some(list.children.swap_remove(at))
}

fn last_id(page: &Node, list: &str, item: &str, id: &str) -> Option<String> {
    let last = page.child(list)?.all(item).last()?;
    Some(last.text_of(id).to_owned()).filter(|id| !id.is_empty())
}

/// A line of the log, from an event at a door by a cardholder. Numbers by a driver's table; what it does not name is no passage.
fn entry(event: &Node) -> Option<LogEntry> {
    let at = super::ship::time(event.text_of("EventDateTime"))?.and_utc();
    let door = Some(event.text_of("DoorID")).filter(|d| !d.is_empty())?;
    let operation: u32 = event.text_of("Operation").parse().ok()?;
    let opened = match operation {
        16..=29 => true,
        81..=85 | 87..=93 | 95..=98 | 103 => false,
        _ => return None,
    };
    let mut entry = LogEntry::new(at, Handle::text(door), opened);
    entry.by = match operation {
        26 | 93 => Some(Kind::Code),
        16 | 22 | 28 => None,
        _ => Some(Kind::Card),
    };
    let subject = event.text_of("SubjectID");
    if event.text_of("SubjectType") == "0" && !subject.is_empty() {
        entry.credential = match entry.by {
            Some(Kind::Code) => Some(pin_handle(subject)),
            Some(Kind::Card) => Some(key_handle(subject)),
            _ => None,
        };
    }
    entry.denied = match operation {
        _ if opened => None,
        82 if entry.by == Some(Kind::Code) => Some(Denial::ExpiredCode),
        87 => Some(Denial::BlockedByPrivacyMode),
        89 | 96 => Some(Denial::BlocklistedCode),
        93 => Some(Denial::UnknownCode),
        _ => Some(Denial::CredentialError),
    };
    Some(entry)
}
