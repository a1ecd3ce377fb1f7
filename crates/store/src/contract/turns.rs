use super::builders::{
    HOUR, NO_TIME, at_once, claim, clock_moves, gave_up, granted, job, mp3, new_job, problem,
    uploaded, username,
};
use crate::{Claim, Due, Job, NewJob, State, Store};
use decant_events::{FileId, Username};
use futures::future::join_all;

pub async fn a_person_has_no_more_jobs_announced_than_turns(store: Store) {
    let ann = username("ann");
    let mut states = Vec::new();
    for _ in 0..5 {
        let stored = uploaded(&store, &ann, at_once(2)).await;
        assert_eq!(job(&store, stored.id).await, stored);
        states.push(stored.state);
    }
    let (queued, waiting) = (State::Queued, State::Waiting);
    assert_eq!(states, [queued, queued, waiting, waiting, waiting]);
    assert_eq!(announce(&store, &ann, 2).await, None);
}

pub async fn people_have_turns_of_their_own(store: Store) {
    for name in ["ann", "bob"] {
        let first = uploaded(&store, &username(name), at_once(1)).await;
        assert_eq!(first.state, State::Queued);
        let second = uploaded(&store, &username(name), at_once(1)).await;
        assert_eq!(second.state, State::Waiting);
    }
}

pub async fn a_waiting_job_is_nobodys_to_claim_or_to_announce_again(store: Store) {
    let ann = username("ann");
    uploaded(&store, &ann, at_once(1)).await;
    let waiting = uploaded(&store, &ann, at_once(1)).await;
    let claimed = claim(&store, waiting.id, HOUR).await;
    assert!(matches!(claimed, Claim::Missing), "{claimed:?}");
    let (jobs, id) = (&store.jobs, waiting.id);
    let dead = jobs.fail_undelivered(id, &problem(), NO_TIME).await;
    assert_eq!(dead.expect("the store answers"), None);
    store.jobs.unannounce(waiting.id).await.expect("answers");
    let lost = Due::AnnouncedBefore(clock_moves(&store).await);
    for due in [Due::ByGap, lost] {
        while let Some(announced) = store.jobs.announce_next(due, HOUR).await.expect("answers") {
            assert_ne!(announced.id, waiting.id);
        }
    }
    assert_eq!(job(&store, waiting.id).await, waiting);
}

pub async fn the_oldest_waiting_job_is_announced_when_one_has_ended(store: Store) {
    let ann = username("ann");
    let running = uploaded(&store, &ann, at_once(1)).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(uploaded(&store, &ann, at_once(1)).await.id);
    }
    let mut running = running.id;
    for next in waiting {
        assert_eq!(announce(&store, &ann, 1).await, None);
        fail(&store, running).await;
        let announced = announce(&store, &ann, 1).await.expect("a turn is free");
        assert_eq!((announced.id, announced.state), (next, State::Queued));
        assert_eq!(job(&store, next).await, announced);
        running = next;
    }
    // It is counted as announced: a lost event has it announced again.
    let lost = Due::AnnouncedBefore(clock_moves(&store).await);
    let again = store.jobs.announce_next(lost, HOUR).await.expect("answers");
    assert_eq!(again.map(|job| job.id), Some(running));
}

pub async fn every_end_frees_a_turn(store: Store) {
    let ann = username("ann");
    let jobs = &store.jobs;
    for _ in 0..6 {
        uploaded(&store, &ann, at_once(1)).await;
    }
    let mut ends = 0;
    loop {
        let announced = jobs.list(Some(&ann), None, 100).await.expect("answers");
        let announced: Vec<_> = announced
            .into_iter()
            .filter(|job| job.state == State::Queued)
            .collect();
        let [running] = &announced[..] else {
            panic!("one at a time, not {announced:?}");
        };
        let id = running.id;
        let mp3_id = FileId::mint();
        let lease_for = if ends == 3 { NO_TIME } else { HOUR };
        let claimed = jobs.claim(id, mp3_id, lease_for, 5, &gave_up()).await;
        let (lease, _) = granted(claimed.expect("answers"));
        match ends {
            0 => drop(jobs.publish(&lease, mp3(mp3_id), &[]).await.expect("ready")),
            1 => drop(jobs.fail(&lease, &problem()).await.expect("fails")),
            2 => drop(jobs.cancel(id).await.expect("answers").expect("is there")),
            3 => {
                let dead = jobs.fail_undelivered(id, &problem(), NO_TIME).await;
                assert!(dead.expect("answers").is_some());
            }
            _ => {
                jobs.release(&lease, false).await.expect("is given back");
                let gave_up = jobs.claim(id, FileId::mint(), HOUR, 1, &gave_up()).await;
                assert!(matches!(gave_up, Ok(Claim::Ended(_))), "{gave_up:?}");
            }
        }
        ends += 1;
        if announce(&store, &ann, 1).await.is_none() {
            break;
        }
    }
    assert_eq!(ends, 6);
}

pub async fn a_job_that_is_given_back_keeps_its_turn(store: Store) {
    let ann = username("ann");
    let running = uploaded(&store, &ann, at_once(1)).await.id;
    uploaded(&store, &ann, at_once(1)).await;
    let (lease, _) = granted(claim(&store, running, HOUR).await);
    assert_eq!(announce(&store, &ann, 1).await, None);
    store.jobs.release(&lease, true).await.expect("is released");
    assert_eq!(announce(&store, &ann, 1).await, None);
    let (lease, _) = granted(claim(&store, running, NO_TIME).await);
    let lost = Due::AnnouncedBefore(clock_moves(&store).await);
    let freed = store.jobs.announce_next(lost, HOUR).await.expect("answers");
    assert_eq!(freed.map(|job| job.id), Some(lease.job_id));
    assert_eq!(announce(&store, &ann, 1).await, None);
}

pub async fn uploads_that_end_at_once_take_no_more_turns_than_there_are(store: Store) {
    let ann = username("ann");
    let uploads = (0..24).map(|_| {
        let (store, ann) = (store.clone(), ann.clone());
        tokio::spawn(async move { uploaded(&store, &ann, at_once(3)).await.state })
    });
    let states = join_all(uploads).await.into_iter();
    let states: Vec<_> = states.map(|state| state.expect("no task panics")).collect();
    let queued = states.iter().filter(|state| **state == State::Queued);
    assert_eq!(queued.count(), 3);
    assert_eq!(announced(&store, &ann).await, 3);
}

pub async fn turns_that_many_give_away_at_once_are_given_away_once(store: Store) {
    let ann = username("ann");
    let mut running = Vec::new();
    for _ in 0..2 {
        running.push(uploaded(&store, &ann, at_once(2)).await.id);
    }
    for _ in 0..10 {
        uploaded(&store, &ann, at_once(2)).await;
    }
    for id in running {
        fail(&store, id).await;
    }
    let announcers = (0..16).map(|_| {
        let (store, ann) = (store.clone(), ann.clone());
        tokio::spawn(async move { announce(&store, &ann, 2).await })
    });
    let given = join_all(announcers).await.into_iter();
    let given = given.filter_map(|next| next.expect("no task panics"));
    assert_eq!(given.count(), 2);
    assert_eq!(announced(&store, &ann).await, 2);
}

pub async fn fewer_turns_than_before_let_nobody_in_until_there_is_room(store: Store) {
    let ann = username("ann");
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(uploaded(&store, &ann, at_once(3)).await.id);
    }
    let adopted = NewJob {
        owner: ann.clone(),
        ..new_job()
    };
    let adopted = store.jobs.adopt(adopted, 1, HOUR).await;
    assert!(adopted.expect("is adopted, and announced by whoever stored it"));
    let waiting = uploaded(&store, &ann, at_once(2)).await;
    assert_eq!(waiting.state, State::Waiting);
    for id in running {
        assert_eq!(announce(&store, &ann, 2).await, None);
        fail(&store, id).await;
    }
    let next = announce(&store, &ann, 2).await;
    assert_eq!(next.map(|job| job.id), Some(waiting.id));
}

pub async fn people_who_wait_are_found_one_after_the_other(store: Store) {
    for (name, jobs) in [("bob", 3), ("ann", 1), ("eve", 2)] {
        for _ in 0..jobs {
            uploaded(&store, &username(name), at_once(1)).await;
        }
    }
    let after = async |person: Option<&Username>| {
        let next = store.jobs.next_waiting(person).await;
        next.expect("the store answers")
    };
    let (bob, eve) = (username("bob"), username("eve"));
    assert_eq!(after(None).await, Some(bob.clone()));
    assert_eq!(after(Some(&bob)).await, Some(eve.clone()));
    assert_eq!(after(Some(&eve)).await, None);
}

async fn announce(store: &Store, owner: &Username, turns: u32) -> Option<Job> {
    let next = store.jobs.announce_waiting(owner, at_once(turns)).await;
    next.expect("the store answers")
}

/// How many of this person's jobs are announced.
async fn announced(store: &Store, owner: &Username) -> usize {
    let jobs = store.jobs.list(Some(owner), None, 1000).await;
    let jobs = jobs.expect("the store answers").into_iter();
    jobs.filter(|job| [State::Queued, State::Converting].contains(&job.state))
        .count()
}

async fn fail(store: &Store, id: FileId) {
    let (lease, _) = granted(claim(store, id, HOUR).await);
    store.jobs.fail(&lease, &problem()).await.expect("fails");
}
