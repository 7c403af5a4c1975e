//! Collects operations in any order and brings them into the order of time.
use super::{Deed, Note, Notes, Op};
use crate::world::{CardNo, Instant, StayNo, Token};
use std::collections::BTreeMap;

/// Numbers from here on are pieces of plastic that are not chosen yet.
const OPEN: u32 = 1 << 31;

/// Writes drafts.
#[derive(Debug, Default)]
pub(super) struct Pen {
    drafts: Vec<Draft>,
    written: BTreeMap<Option<StayNo>, u32>,
    cards: u32,
}

#[derive(Clone, Copy, Debug)]
struct Draft {
    op: Op,
    /// Instead of an operation: this card goes back to the desk's pile, and the next encoding may take it.
    back: Option<CardNo>,
}

impl Pen {
    /// Writes an operation. Within a stay, operations of one instant keep the order in which they were written.
    pub(super) fn write(&mut self, at: Instant, stay: Option<StayNo>, deed: Deed, notes: Notes) {
        self.draft(at, stay, deed, notes, None);
    }

    /// A card that the pile or the box will give when it is first written.
    pub(super) fn card(&mut self) -> CardNo {
        self.cards += 1;
        CardNo(OPEN | self.cards)
    }

    /// Says that nobody shows this card any more.
    pub(super) fn give_back(&mut self, at: Instant, stay: StayNo, card: CardNo) {
        let token = Token::Card(card);
        self.draft(at, Some(stay), Deed::Try { door: crate::world::LOBBY, token }, Notes::default(), Some(card));
    }

    fn draft(&mut self, at: Instant, stay: Option<StayNo>, deed: Deed, notes: Notes, back: Option<CardNo>) {
        let nth = self.written.entry(stay).or_default();
        self.drafts.push(Draft { op: Op { at, stay, nth: *nth, deed, notes }, back });
        *nth += 1;
    }

    /// All operations in order of time. Plastic is chosen now: every second card comes from the pile when there is one on it;
    /// numbers up to `taken` are in use already.
    pub(super) fn finish(mut self, taken: usize) -> Vec<Op> {
        self.drafts.sort_by_key(|draft| (draft.op.at, draft.op.stay, draft.op.nth));
        let mut chosen: BTreeMap<CardNo, CardNo> = BTreeMap::new();
        let mut pile = Vec::new();
        let mut next = u32::try_from(taken).unwrap_or(0) + 1;
        let mut ops = Vec::with_capacity(self.drafts.len());
        for Draft { mut op, back } in self.drafts {
            if let Some(card) = back {
                pile.extend(chosen.get(&card).copied());
                continue;
            }
            match &mut op.deed {
                Deed::Encode { onto, .. } | Deed::ReplaceLost { onto, .. } if onto.0 >= OPEN => {
                    let open = *onto;
                    *onto = *chosen.entry(open).or_insert_with(|| {
                        let used = if open.0 & 1 == 0 { pile.pop() } else { None };
                        op.notes = op.notes.with(Note::CardUsedAgain, used.is_some());
                        used.unwrap_or_else(|| {
                            next += 1;
                            CardNo(next - 1)
                        })
                    });
                }
                Deed::Try { token: Token::Card(card), .. } if card.0 >= OPEN => {
                    // Shown before it was written: it is a blank one then.
                    *card = chosen.get(card).copied().unwrap_or(crate::world::BLANK);
                }
                _ => {}
            }
            ops.push(op);
        }
        ops
    }
}
