//! What people find of their jobs, and when it is whose turn.

use super::builders::{
    HOUR, MANY, NO_TIME, claim, converting, failed, granted, job, new_job, queued, ready, username,
};
use crate::{NewJob, Page, State, Store, Wanted};
use decant_events::FileId;

pub async fn a_list_of_states_holds_no_others(store: Store) {
    let queued = queued(&store).await;
    let converting = converting(&store, HOUR).await.0.job_id;
    let (ready, failed) = (ready(&store).await.id, failed(&store).await.id);
    store.jobs.begin(new_job(), HOUR).await.expect("is hidden");
    for (states, expected) in [
        (vec![State::Queued], vec![queued]),
        (vec![State::Ready, State::Failed], vec![failed, ready]),
        (vec![State::Converting, State::Waiting], vec![converting]),
        (vec![State::Uploading, State::Cancelled], vec![]),
        (vec![], vec![failed, ready, converting, queued]),
    ] {
        let wanted = Wanted {
            states: states.clone(),
            ..Wanted::default()
        };
        assert_eq!(ids(find(&store, &wanted, None, MANY).await), expected);
        let listed = store.jobs.list_in(None, &states, None, MANY).await;
        let listed = listed.expect("the store answers");
        let listed: Vec<_> = listed.iter().map(|job| job.id).collect();
        assert_eq!(listed, expected);
    }
}

pub async fn words_are_found_in_any_case(store: Store) {
    for name in ["Die Übung.mp4", "ÜBUNGEN 100%.MKV", "talk.mp4", "a_b.mp4"] {
        named(&store, name).await;
    }
    for (words, expected) in [
        ("übung", vec!["ÜBUNGEN 100%.MKV", "Die Übung.mp4"]),
        ("ÜBUNG.MP4", vec!["Die Übung.mp4"]),
        ("0%", vec!["ÜBUNGEN 100%.MKV"]),
        ("a_b", vec!["a_b.mp4"]),
        (".*", vec![]),
        ("talk", vec!["talk.mp4"]),
    ] {
        let page = find(&store, &with_words(words), None, MANY).await;
        let names: Vec<_> = page.jobs.iter().map(|job| &job.file_name[..]).collect();
        assert_eq!((names, page.next), (expected, None), "{words}");
    }
}

pub async fn words_are_found_among_ones_own(store: Store) {
    named(&store, "talk.mp4").await;
    let wanted = Wanted {
        owner: Some(username("ann")),
        ..with_words("talk")
    };
    assert_eq!(ids(find(&store, &wanted, None, MANY).await), []);
}

pub async fn what_is_found_pages_by_cursor(store: Store) {
    let mut talks = Vec::new();
    for i in 0..5 {
        talks.push(named(&store, &format!("talk {i}.mp4")).await);
        named(&store, "film.mp4").await;
    }
    talks.reverse();
    for wanted in [with_words("talk"), with_words("TALK")] {
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = find(&store, &wanted, before, 2).await;
            assert!(page.jobs.len() <= 2);
            before = page.next;
            seen.extend(ids(page));
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, talks);
    }
    let everything = find(&store, &Wanted::default(), None, 10).await;
    assert_eq!((everything.jobs.len(), everything.next), (10, None));
}

pub async fn words_are_looked_for_in_so_many_jobs_at_once(store: Store) {
    let needle = named(&store, "needle.mp4").await;
    let hay = store.jobs.export(None, 1).await.expect("answers").remove(0);
    for _ in 0..2_000 {
        let mut hay = hay.clone();
        hay.job.id = FileId::mint();
        hay.job.file_name = "hay.mp4".into();
        assert!(store.jobs.import(&hay).await.expect("answers"));
    }
    let first = find(&store, &with_words("needle"), None, 50).await;
    assert_eq!(first.jobs, []);
    assert!(first.next.is_some());
    let second = find(&store, &with_words("needle"), first.next, 50).await;
    assert_eq!((ids(second.clone()), second.next), (vec![needle], None));
}

pub async fn those_in_line_have_their_turns(store: Store) {
    let first = queued(&store).await;
    let second = queued(&store).await;
    let waiting = waiting(&store, "kevin").await;
    let anns = [
        self::waiting(&store, "ann").await,
        self::waiting(&store, "ann").await,
    ];
    ready(&store).await;
    store.jobs.begin(new_job(), HOUR).await.expect("is hidden");
    let ahead = async |id| {
        let line = store.jobs.line().await.expect("the store answers");
        line.jobs_ahead(&job(&store, id).await)
    };
    for (place, id) in (0..).zip([first, second, waiting, anns[0], anns[1]]) {
        assert_eq!(ahead(id).await, Some(place));
    }
    // Whoever is being converted has had their turn.
    let (lease, _) = granted(claim(&store, first, HOUR).await);
    assert_eq!((ahead(first).await, ahead(second).await), (None, Some(0)));
    let back = store.jobs.release(&lease, true).await;
    back.expect("is given back");
    assert_eq!(
        (ahead(first).await, ahead(second).await),
        (Some(0), Some(1))
    );
    assert_eq!(store.jobs.in_line(2).await.expect("answers").len(), 2);
    assert_eq!(store.jobs.in_line(MANY).await.expect("answers").len(), 5);
}

pub async fn how_a_conversion_gets_on_is_known_while_it_runs(store: Store) {
    let (lease, _) = converting(&store, HOUR).await;
    let progress = crate::Progress {
        percent: 40.0,
        speed: Some(84.5),
        time_left_s: Some(3.25),
    };
    let renewed = store.jobs.renew(&lease, HOUR, Some(progress)).await;
    renewed.expect("is renewed");
    let told = |job: &crate::Job| (job.progress_percent, job.speed, job.time_left_s);
    let noted = job(&store, lease.job_id).await;
    assert_eq!(told(&noted), (40.0, Some(84.5), Some(3.25)));
    let renewed = store.jobs.renew(&lease, NO_TIME, Some(50.0.into())).await;
    renewed.expect("is renewed");
    let unknown = job(&store, lease.job_id).await;
    assert_eq!(told(&unknown), (50.0, None, None));

    let renewed = store.jobs.renew(&lease, NO_TIME, Some(progress)).await;
    renewed.expect("is renewed");
    let (lease, anew) = granted(claim(&store, lease.job_id, HOUR).await);
    assert_eq!(told(&anew), (0.0, None, None));
    let renewed = store.jobs.renew(&lease, HOUR, Some(progress)).await;
    renewed.expect("is renewed");
    store.jobs.release(&lease, true).await.expect("is released");
    assert_eq!(told(&job(&store, lease.job_id).await), (0.0, None, None));
}

async fn find(store: &Store, wanted: &Wanted, before: Option<FileId>, limit: u32) -> Page {
    let page = store.jobs.find(wanted, before, limit).await;
    page.expect("the store answers")
}

fn ids(page: Page) -> Vec<FileId> {
    page.jobs.into_iter().map(|job| job.id).collect()
}

fn with_words(words: &str) -> Wanted {
    Wanted {
        words: Some(words.into()),
        ..Wanted::default()
    }
}

async fn named(store: &Store, file_name: &str) -> FileId {
    let new = NewJob {
        file_name: file_name.into(),
        ..new_job()
    };
    let id = new.id;
    let adopted = store.jobs.adopt(new, 1, HOUR).await;
    assert!(adopted.expect("the store answers"));
    id
}

/// A job that isn't announced yet.
async fn waiting(store: &Store, name: &str) -> FileId {
    let id = queued(store).await;
    let mut all = store.jobs.export(None, MANY).await.expect("answers");
    let mut waiting = all.remove(all.len() - 1);
    assert_eq!(waiting.job.id, id);
    // One that is like it takes its place in line.
    waiting.job.id = FileId::mint();
    waiting.job.owner = username(name);
    waiting.job.state = State::Waiting;
    assert!(store.jobs.import(&waiting).await.expect("answers"));
    let (lease, _) = granted(claim(store, id, HOUR).await);
    let problem = super::builders::problem();
    store.jobs.fail(&lease, &problem).await.expect("fails");
    waiting.job.id
}
