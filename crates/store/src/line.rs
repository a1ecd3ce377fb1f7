use crate::{Job, State};
use decant_events::{FileId, Username};
use std::collections::HashMap;

/// A job that stands in line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InLine {
    /// The job.
    pub id: FileId,
    /// Whose it is.
    pub owner: Username,
    /// `waiting` or `queued`.
    pub state: State,
}

/// Whose turn is before whose. Those that are announced come first, the oldest before all. The others come as turns go round:
/// everybody's first one, then everybody's second. It is what is likely, not a promise: people delete jobs, and a
/// broker may deliver in another order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    places: HashMap<FileId, u32>,
    /// There are more in line than were looked at.
    is_cut: bool,
}

impl Line {
    /// How many in line are looked at.
    pub const MOST: u32 = 1_000;

    /// The order of these, who are sorted by age.
    pub(crate) fn of(oldest_first: Vec<InLine>) -> Self {
        let is_cut = oldest_first.len() >= Self::MOST as usize;
        let mut waiting_of = HashMap::new();
        let mut in_turn: Vec<_> = oldest_first
            .into_iter()
            .map(|job| match job.state {
                State::Waiting => {
                    let round: &mut u32 = waiting_of.entry(job.owner).or_default();
                    *round += 1;
                    (*round, job.id)
                }
                _ => (0, job.id),
            })
            .collect();
        in_turn.sort();
        let places = (0..).zip(in_turn).map(|(place, (_, id))| (id, place));
        Self {
            places: places.collect(),
            is_cut,
        }
    }

    /// How many jobs come before this one, if it stands in line: [`Line::MOST`] may be more.
    pub fn jobs_ahead(&self, job: &Job) -> Option<u32> {
        if !job.state.is_in_line() {
            return None;
        }
        let place = self.places.get(&job.id).copied();
        place.or_else(|| self.is_cut.then_some(Self::MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announced_come_first_and_then_each_person_in_turn() {
        let line = [
            ("ann", State::Queued),
            ("ann", State::Waiting),
            ("ann", State::Waiting),
            ("bob", State::Queued),
            ("bob", State::Waiting),
            ("eve", State::Queued),
        ];
        let line = line.map(|(name, state)| InLine {
            id: FileId::mint(),
            owner: format!("{name}@email.com").parse().expect("an address"),
            state,
        });
        let ids = line.clone().map(|job| job.id);
        let line = Line::of(line.into());
        let places = ids.map(|id| line.places[&id]);
        assert_eq!(places, [0, 3, 5, 1, 4, 2]);
    }
}
