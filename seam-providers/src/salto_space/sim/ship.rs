//! SHIP of the fake.
use super::SimLogin;
use super::house::{Came, Content, House, Permit, State, UserKey, permits};
use crate::net::sim::{Conversation, HttpAnswer, HttpAsked, HttpService, Wire};
use crate::salto_space::ship::{KEY_HEADER, MEDIA_TYPE, StpCodec, time};
use crate::salto_space::xml::{Node, XmlError};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) struct ShipHttp {
    pub(super) house: Arc<House>,
    pub(super) login: SimLogin,
}

#[async_trait]
impl HttpService for ShipHttp {
    async fn serve(&self, asked: HttpAsked) -> HttpAnswer {
        let allowed = match &self.login {
            SimLogin::None => true,
            SimLogin::Basic(user, password) => {
                asked.header("authorization") == Some(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            SimLogin::Key(key) => asked.header(&KEY_HEADER.to_ascii_lowercase()) == Some(key),
        };
        if !allowed {
            return HttpAnswer::new(401);
        }
        if asked.method != "POST" || asked.path() != "/" {
            return HttpAnswer::new(404);
        }
        if asked.header("content-type") != Some(MEDIA_TYPE) {
            return HttpAnswer::new(415);
        }
        let answer = match std::str::from_utf8(&asked.body) {
            Ok(text) => self.house.ship(text).await,
            Err(_) => exception("", 500, "The request is not UTF-8"),
        };
        HttpAnswer::new(200).with_header("Content-Type", MEDIA_TYPE).with_body(answer)
    }
}

pub(super) struct ShipStp {
    pub(super) house: Arc<House>,
}

#[async_trait]
impl Conversation for ShipStp {
    async fn talk(&self, mut wire: Wire) {
        while let Ok(Some(asked)) = wire.receive(&mut StpCodec).await {
            wire.asked().await;
            let answer = self.house.ship(&asked).await;
            if wire.answer(format!("STP/00/{}/{answer}", answer.len()).as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

fn exception(name: &str, code: u32, message: &str) -> String {
    let exception = Node::new("Exception").with("Code", code.to_string()).with("Message", message);
    Node::new("RequestResponse").with("RequestName", name).with_node(exception).document()
}

/// What a page shows, and whether it is the last.
type Shown<'a, T> = (Vec<(&'a String, T)>, bool);
type Answer = Result<Node, (u32, &'static str)>;

/// Fields of a user that the reference names, as far as this fake keeps them.
const USER: [&str; 18] = [
    "ExtUserID",
    "ExtPartitionID",
    "Title",
    "FirstName",
    "LastName",
    "Office",
    "UserActivation",
    "UserExpiration.Enabled",
    "UserExpiration",
    "PINEnabled",
    "PINCode",
    "IsBanned",
    "PhoneNumber",
    "MobileAppType",
    "GPF1",
    "GPF2",
    "SaltoDB.AccessPermissionList.User_Door",
    "OverridePrivacy",
];

fn is_key_of(state: &State, card: &super::SimCard, user: &str) -> bool {
    matches!(state.cards.get(&card.0), Some(Content::User(key)) if key.user == user)
}

impl House {
    pub(super) async fn ship(&self, text: &str) -> String {
        let call = match Node::parse(text) {
            Ok(call) if call.name == "RequestCall" => call,
            Ok(_) => return exception("", 501, "Unexpected node"),
            Err(XmlError::Malformed | XmlError::DocumentType | XmlError::TooMuch) => return exception("", 500, "Malformed XML"),
        };
        let name = call.text_of("RequestName").to_owned();
        self.state().requests.push(name.clone());
        let params = call.child("Params").cloned().unwrap_or_default();
        match self.request(&name, &params).await {
            Ok(mut params) => {
                "Params".clone_into(&mut params.name);
                // The vendor's answers may have blanks around values.
                let document = Node::new("RequestResponse").with("RequestName", &name).with_node(params).document();
                document.replace("<ExtUserID>", "<ExtUserID> ").replace("<EOF>", "<EOF>\n ")
            }
            Err((code, message)) => exception(&name, code, message),
        }
    }

    async fn request(&self, name: &str, params: &Node) -> Answer {
        match name {
            "GetInfo" => {
                let now = (self.local() + self.state().fast).format("%Y-%-m-%-dT%H:%M:%S").to_string();
                Ok(Node::default().with("ProtocolID", "SHIP").with("ProtocolVersion", "1.0").with("DateTime", now))
            }
            "SaltoDBUserList.Read" => self.users(params),
            "SaltoDBUser.Insert" | "SaltoDBUser.Update" | "SaltoDBUser.InsertOrUpdate" => self.write_user(name, params),
            "SaltoDBUser.Delete" => {
                let id = params.text_of("ExtUserID");
                let mut state = self.state();
                for level in state.levels.values_mut() {
                    level.members.remove(id);
                }
                state.users.remove(id).map(|_| Node::default().with("ExtUserID", id)).ok_or((200, "User does not exist"))
            }
            "SaltoDBGroup.Insert" | "SaltoDBGroup.Update" => self.write_level(name, params),
            "SaltoDBGroup.Delete" => {
                let id = params.text_of("ExtGroupID");
                self.state().levels.remove(id).map(|_| Node::default().with("ExtGroupID", id)).ok_or((11, "Group does not exist"))
            }
            "SaltoDBDoorList.Read" => self.list_doors(params),
            "OnlineDoor.GetOnlineStatusList" => Ok(self.states(params)),
            "SaltoDBAuditTrail.Read" => self.audit(params),
            "Encoder.SaltoDBUser.AssignNewKey" | "Encoder.SaltoDBUser.UpdateCurrentKey" => self.write_key(name, params).await,
            _ => Err((502, "Unknown request")),
        }
    }

    fn write_user(&self, name: &str, params: &Node) -> Answer {
        let user = params.child("SaltoDBUser").ok_or((501, "SaltoDBUser is expected"))?;
        let id = user.text_of("ExtUserID").to_owned();
        if user.children.iter().any(|c| !USER.contains(&c.name.as_str())) {
            return Err((501, "Unexpected node"));
        }
        let flags = ["UserExpiration.Enabled", "PINEnabled", "IsBanned"];
        if user.children.iter().any(|c| flags.contains(&c.name.as_str()) && !matches!(c.text.as_str(), "0" | "1")) {
            return Err((503, "Wrong data type"));
        }
        if user.children.iter().any(|c| matches!(c.name.as_str(), "UserActivation" | "UserExpiration") && time(&c.text).is_none()) {
            return Err((503, "Wrong data type"));
        }
        let mut state = self.state();
        let there = state.users.contains_key(&id);
        match name {
            "SaltoDBUser.Insert" if there => return Err((202, "User exists")),
            "SaltoDBUser.Update" if !there => return Err((200, "User does not exist")),
            _ => {}
        }
        let mut fields = state.users.get(&id).cloned().unwrap_or_default();
        fields.extend(user.children.iter().map(|c| (c.name.clone(), c.text.clone())));
        let names = |f: &BTreeMap<String, String>| ["Title", "FirstName", "LastName"].map(|n| f.get(n).cloned().unwrap_or_default());
        if state.users.iter().any(|(other, f)| *other != id && names(f) == names(&fields)) {
            return Err((7, "The name is not unique"));
        }
        state.users.insert(id.clone(), fields);
        Ok(Node::default().with("ExtUserID", id))
    }

    fn write_level(&self, name: &str, params: &Node) -> Answer {
        let group = params.child("SaltoDBGroup").ok_or((501, "SaltoDBGroup is expected"))?;
        let id = group.text_of("ExtGroupID").to_owned();
        let mut state = self.state();
        match (name, state.levels.contains_key(&id)) {
            ("SaltoDBGroup.Insert", true) => return Err((10, "Group exists")),
            ("SaltoDBGroup.Update", false) => return Err((11, "Group does not exist")),
            _ => {}
        }
        let mut doors = Vec::new();
        let list = group.child("SaltoDB.AccessPermissionList.Group_Door");
        for permission in list.into_iter().flat_map(|l| l.all("SaltoDB.AccessPermission.Group_Door")) {
            let door = permission.text_of("ExtDoorID").to_owned();
            if !self.doors.iter().any(|d| d.id == door) {
                return Err((100, "No such door"));
            }
            let period = permission.child("Period").ok_or((12, "A period is expected"))?;
            let date = |name: &str| time(period.text_of(name)).ok_or((503, "Wrong data type"));
            doors.push(Permit { door, starts: date("StartDate")?, ends: date("EndDate")? });
        }
        let members = group.child("SaltoDB.MembershipList.User_Group");
        let members: BTreeSet<String> =
            members.into_iter().flat_map(|l| l.all("SaltoDB.Membership.User_Group")).map(|m| m.text_of("ExtUserID").to_owned()).collect();
        if members.iter().any(|m| !state.users.contains_key(m)) {
            return Err((200, "User does not exist"));
        }
        let level = state.levels.entry(id.clone()).or_default();
        if list.is_some() {
            level.doors = doors;
        }
        if group.child("SaltoDB.MembershipList.User_Group").is_some() {
            level.members = members;
        }
        Ok(Node::default().with("ExtGroupID", id))
    }

    /// The part of a list that a page shows, and whether it is the last.
    fn page<'a, T>(
        &self,
        params: &Node,
        from: &str,
        all: impl Iterator<Item = (&'a String, T)>,
    ) -> Result<Shown<'a, T>, (u32, &'static str)> {
        let most: usize = params.text_of("MaxCount").parse().map_err(|_| (503, "Wrong data type"))?;
        let start = params.child(from).map(|c| c.text.clone());
        let after = self.pages_begin_after;
        let shown = |id: &String| start.as_ref().is_none_or(|s| if after { id > s } else { id >= s });
        let mut all: Vec<(&'a String, T)> = all.filter(|(id, _)| shown(id)).collect();
        let end = all.len() <= most;
        all.truncate(most);
        Ok((all, end))
    }

    fn users(&self, params: &Node) -> Answer {
        let state = self.state();
        let (page, end) = self.page(params, "StartingFromExtUserID", state.users.iter())?;
        let mut list = Node::new("SaltoDBUserList");
        for (id, fields) in page {
            let mut user = Node::new("SaltoDBUser");
            for (name, text) in fields {
                user = user.with(name, text.as_str());
            }
            let key = state.cards.iter().rev().find(|(_, c)| matches!(c, Content::User(k) if k.user == *id));
            user = user.with("CurrentKeyExists", if key.is_some() { "1" } else { "0" });
            if let Some((number, _)) = key {
                user = user.with("CurrentROMCode", format!("04{number:012X}"));
            }
            if params.flag("ReturnMembership_User_Group") {
                let mine = state.levels.iter().filter(|(_, l)| l.members.contains(id));
                let member = |level: &String| Node::new("SaltoDB.Membership.User_Group").with("ExtGroupID", level.as_str());
                let mut levels = Node::new("SaltoDB.MembershipList.User_Group");
                levels.children = mine.map(|(level, _)| member(level)).collect();
                user = user.with_node(levels);
            }
            list = list.with_node(user);
        }
        Ok(Node::default().with_node(list).with("EOF", if end { "1" } else { "0" }))
    }

    fn list_doors(&self, params: &Node) -> Answer {
        let by_id: BTreeMap<String, &super::SimDoor> = self.doors.iter().map(|d| (d.id.clone(), d)).collect();
        let (page, end) = self.page(params, "StartingFromExtDoorID", by_id.iter())?;
        let door = |(id, door): (&String, &&super::SimDoor)| {
            Node::new("SaltoDBDoor").with("ExtDoorID", id.as_str()).with("Name", door.name.as_str()).with("BatteryStatus", "-1")
        };
        let mut list = Node::new("SaltoDBDoorList");
        list.children = page.into_iter().map(door).collect();
        Ok(Node::default().with_node(list).with("EOF", if end { "1" } else { "0" }))
    }

    fn states(&self, params: &Node) -> Node {
        let mut list = Node::new("OnlineDoorStatusList");
        let ids: Vec<&str> = params.child("ExtDoorIDList").into_iter().flat_map(|l| l.all("ExtDoorID")).map(|d| d.text.as_str()).collect();
        for door in self.doors.iter().filter(|d| ids.contains(&d.id.as_str())) {
            let (kind, comm) = match door.online {
                true if self.state().cut_off.contains(&door.id) => ("0", "0"),
                true => ("0", "1"),
                false => ("-1", "-1"),
            };
            let status = Node::new("OnlineDoorStatus").with("DoorID", door.name.as_str()).with("DoorType", kind).with("CommStatus", comm);
            list = list.with_node(status);
        }
        Node::default().with_node(list)
    }

    fn audit(&self, params: &Node) -> Answer {
        let number = |name: &str| params.text_of(name).parse::<usize>().map_err(|_| (503, "Wrong data type"));
        let (most, from) = (number("MaxCount")?, number("StartingFromEventID")?);
        let state = self.state();
        let mut list = Node::new("SaltoDBAuditTrail");
        for (n, event) in state.log.iter().enumerate().map(|(n, e)| (n + 1, e)).filter(|(n, _)| *n >= from).take(most) {
            let mut node = Node::new("SaltoDBAuditTrailEvent")
                .with("EventID", format!("{n:020}"))
                .with("EventDateTime", event.at.naive_utc().format("%Y-%m-%dT%H:%M:%S").to_string())
                .with("Operation", event.operation.to_string())
                .with("IsExit", "0")
                .with("DoorID", event.door.as_str())
                .with("SubjectType", "0");
            if let Some(subject) = &event.subject {
                node = node.with("SubjectID", subject.as_str());
            }
            list = list.with_node(node);
        }
        Ok(Node::default().with_node(list).with("EOF", "1"))
    }

    async fn write_key(&self, name: &str, params: &Node) -> Answer {
        let (user, encoder) = (params.text_of("ExtUserID").to_owned(), params.text_of("EncoderID").to_owned());
        {
            let state = self.state();
            if !state.users.contains_key(&user) {
                return Err((200, "User does not exist"));
            }
            let has = state.cards.values().any(|c| matches!(c, Content::User(k) if k.user == user));
            match (name.ends_with("AssignNewKey"), has) {
                (true, true) => return Err((305, "User already has a key")),
                (false, false) => return Err((300, "No key assigned")),
                _ => {}
            }
        }
        let local = self.local();
        let write = |state: &mut State, came: Came| match came {
            Came::Not("offline") => Err((401, "Peripheral offline")),
            Came::Not("busy") => Err((402, "Peripheral busy")),
            Came::Not("no card") => Err((403, "Timed out waiting for a card")),
            Came::Not(_) => Err((400, "No such peripheral")),
            Came::Card(_, Content::Foreign | Content::Staff) => Err((302, "Unknown card format")),
            // The key that she has is another card.
            Came::Card(card, _) if !name.ends_with("AssignNewKey") && !is_key_of(state, &card, &user) => Err((302, "Unknown card format")),
            Came::Card(card, _) => {
                // What an offline door will believe is what stands in the levels now.
                let told = permits(state, &user, local);
                state.keys_written += 1;
                state.cards.insert(card.0, Content::User(UserKey { user: user.clone(), permits: told }));
                Ok(Node::default().with("ExtUserID", user.as_str()).with("ROMCode", card.serial()))
            }
        };
        self.at_encoder(&encoder, write).await
    }
}
