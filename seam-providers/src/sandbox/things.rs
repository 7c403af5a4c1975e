//! All that a site's system holds, with what finds it.
use super::state::Thing;
use seam_core::provider::{Kind, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// All things of a site, with what finds them.
#[derive(Debug, Default)]
pub(super) struct Things {
    rows: BTreeMap<String, Thing>,
    by_tag: BTreeMap<Tag, BTreeSet<String>>,
    codes_at: BTreeMap<String, BTreeSet<String>>,
    by_number: BTreeMap<String, BTreeSet<String>>,
    accesses_of: BTreeMap<String, BTreeSet<String>>,
    on_phone: BTreeMap<String, BTreeSet<String>>,
}

impl Things {
    pub(super) fn get(&self, id: &str) -> Option<&Thing> {
        self.rows.get(id)
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Thing)> {
        self.rows.iter()
    }
    /// From `id` on, without it.
    pub(super) fn after(&self, id: Option<&str>) -> impl Iterator<Item = (&String, &Thing)> {
        use std::ops::Bound;
        let from = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range::<str, _>((from, Bound::Unbounded))
    }
    pub(super) fn set(&mut self, id: &str, thing: Option<Thing>) {
        if let Some(old) = self.rows.remove(id) {
            for (index, key) in keys(&old) {
                let index = self.index(index);
                if let Some(ids) = index.get_mut(&key) {
                    ids.remove(id);
                    if ids.is_empty() {
                        index.remove(&key);
                    }
                }
            }
            if let Some(tag) = &old.tag
                && let Some(ids) = self.by_tag.get_mut(tag)
            {
                ids.remove(id);
                if ids.is_empty() {
                    self.by_tag.remove(tag);
                }
            }
        }
        if let Some(new) = thing {
            for (index, key) in keys(&new) {
                self.index(index).entry(key).or_default().insert(id.to_owned());
            }
            if let Some(tag) = &new.tag {
                self.by_tag.entry(tag.clone()).or_default().insert(id.to_owned());
            }
            self.rows.insert(id.to_owned(), new);
        }
    }
    fn index(&mut self, which: Which) -> &mut BTreeMap<String, BTreeSet<String>> {
        match which {
            Which::CodesAt => &mut self.codes_at,
            Which::Number => &mut self.by_number,
            Which::AccessOf => &mut self.accesses_of,
            Which::OnPhone => &mut self.on_phone,
        }
    }
    pub(super) fn tagged(&self, kind: Kind, tag: &Tag) -> Vec<String> {
        let ids = self.by_tag.get(tag).into_iter().flatten();
        ids.filter(|id| self.rows.get(*id).is_some_and(|t| t.kind == kind)).cloned().collect()
    }
    pub(super) fn codes_at(&self, door: &str) -> impl Iterator<Item = (&String, &Thing)> {
        self.codes_at.get(door).into_iter().flatten().filter_map(|id| self.rows.get_key_value(id))
    }
    pub(super) fn accesses_of(&self, user: &str) -> impl Iterator<Item = &Thing> {
        self.accesses_of.get(user).into_iter().flatten().filter_map(|id| self.rows.get(id))
    }
    pub(super) fn on_phone(&self, phone: &str) -> impl Iterator<Item = &String> {
        self.on_phone.get(phone).into_iter().flatten()
    }
    pub(super) fn numbered(&self, number: &str) -> impl Iterator<Item = (&String, &Thing)> {
        self.by_number.get(number).into_iter().flatten().filter_map(|id| self.rows.get_key_value(id))
    }
}

#[derive(Clone, Copy)]
enum Which {
    CodesAt,
    Number,
    AccessOf,
    OnPhone,
}

fn keys(thing: &Thing) -> impl Iterator<Item = (Which, String)> {
    let doors = thing.doors.iter().filter(|_| thing.kind == Kind::Code);
    let numbers = thing.number.iter().map(|n| (Which::Number, n.clone()));
    let user = thing.user.iter().filter(|_| thing.kind == Kind::Access);
    let phone = thing.phone.iter().map(|p| (Which::OnPhone, p.clone()));
    doors.map(|d| (Which::CodesAt, d.clone())).chain(numbers).chain(user.map(|u| (Which::AccessOf, u.clone()))).chain(phone)
}
