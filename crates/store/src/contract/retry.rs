use super::{
    apart::everything,
    builders::{
        HOUR, MANY, NO_TIME, at_once, claim, claim_as, claim_mail, clock_moves, converting, failed,
        granted, is_lost, job, litter, mail_granted, mp3, new_job, problem, queued, ready, turns,
        uploaded, username,
    },
};
use crate::{Due, Job, MailClaim, State, Store};
use decant_events::{ConversionOptions, FileId};
use futures::future::join_all;

pub async fn a_job_that_has_ended_runs_again(store: Store) {
    for end in [failed(&store).await, ready(&store).await] {
        clock_moves(&store).await;
        let again = retry(&store, end.id, None).await.expect("begins");
        let expected = Job {
            state: State::Queued,
            run: 2,
            attempts: 0,
            progress_percent: 0.0,
            problem: None,
            finished_at: None,
            version: again.version,
            updated_at: again.updated_at,
            ..end.clone()
        };
        assert_eq!(again, expected);
        assert!(end.updated_at < again.updated_at);
        assert_eq!(job(&store, end.id).await, again);
        let (lease, taken) = granted(claim(&store, end.id, HOUR).await);
        assert_eq!((taken.run, taken.attempts), (2, 1));
        let ended = store.jobs.fail(&lease, &problem()).await.expect("fails");
        assert_eq!(ended.problem, Some(problem()));
        assert_eq!(retry(&store, end.id, None).await.expect("begins").run, 3);
    }
    let lost = Due::AnnouncedBefore(clock_moves(&store).await);
    for _ in 0..2 {
        let again = store.jobs.announce_next(lost, HOUR).await;
        assert!(again.expect("answers").is_some(), "it was announced");
    }
}

pub async fn options_of_a_retry_replace_all_of_those_before(store: Store) {
    let lease = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let noted = store.jobs.ask(&lease, &everything(), Some(b"cover")).await;
    noted.expect("is noted");
    let stored = store.jobs.uploaded(&lease, 1, turns(HOUR)).await;
    let id = stored.expect("the upload ends").id;
    let mut other = ConversionOptions::default();
    other.set("quality", "v0").expect("there is v0");
    let asked = [
        (None, everything()),
        (Some(other.clone()), other.clone()),
        (None, other),
        (
            Some(ConversionOptions::default()),
            ConversionOptions::default(),
        ),
    ];
    for (given, expected) in asked {
        let (lease, _) = granted(claim(&store, id, HOUR).await);
        store.jobs.fail(&lease, &problem()).await.expect("fails");
        let again = retry(&store, id, given.as_ref()).await.expect("begins");
        assert_eq!(again.options, Ok(expected));
    }
    let cover = store.jobs.cover(id).await.expect("answers");
    assert_eq!(cover.as_deref(), Some(&b"cover"[..]));
}

pub async fn only_a_job_that_has_ended_is_retried(store: Store) {
    let upload = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let ann = username("ann");
    uploaded(&store, &ann, at_once(1)).await;
    let waiting = uploaded(&store, &ann, at_once(1)).await.id;
    let (queued, running) = (queued(&store).await, converting(&store, NO_TIME).await.0);
    let cancelled = failed(&store).await.id;
    let done = store.jobs.cancel(cancelled).await.expect("answers");
    assert!(done.is_some());
    let ids = [upload.job_id, waiting, queued, running.job_id, cancelled];
    for id in ids.into_iter().chain([FileId::mint()]) {
        let before = store.jobs.get(id).await.expect("answers");
        assert_eq!(retry(&store, id, None).await, None);
        assert_eq!(store.jobs.get(id).await.expect("answers"), before);
    }
}

pub async fn a_retry_waits_for_its_turn(store: Store) {
    let ann = username("ann");
    let again = uploaded(&store, &ann, at_once(1)).await.id;
    let (lease, _) = granted(claim(&store, again, HOUR).await);
    store.jobs.fail(&lease, &problem()).await.expect("fails");
    let running = uploaded(&store, &ann, at_once(1)).await.id;
    let waits = store.jobs.retry(again, None, at_once(1)).await;
    let waits = waits.expect("answers").expect("has ended");
    assert_eq!((waits.state, waits.run), (State::Waiting, 2));
    let next = async || store.jobs.announce_waiting(&ann, at_once(1)).await;
    assert_eq!(next().await.expect("answers"), None);
    let cancelled = store.jobs.cancel(running).await.expect("answers");
    assert!(cancelled.is_some());
    let announced = next().await.expect("answers").expect("a turn is free");
    assert_eq!((announced.id, announced.run), (again, 2));
}

pub async fn the_mp3_before_stays_until_the_next_is_published(store: Store) {
    let (lease, first) = converting(&store, HOUR).await;
    let id = lease.job_id;
    let published = store.jobs.publish(&lease, mp3(first), b"first").await;
    published.expect("is published");
    retry(&store, id, None).await.expect("begins");
    let second = FileId::mint();
    let (lease, taken) = granted(claim_as(&store, id, second, HOUR).await);
    assert_eq!(taken.mp3, Some(mp3(first)));
    let by_mp3 = async |mp3_id| store.jobs.get_by_mp3(mp3_id).await.expect("answers");
    assert_eq!(by_mp3(first).await, Some(taken));
    let waveform = store.jobs.waveform(first).await.expect("answers");
    assert_eq!(waveform.as_deref(), Some(&b"first"[..]));
    assert_eq!(litter(&store).await, [].into());

    let published = store.jobs.publish(&lease, mp3(second), &[]).await;
    assert_eq!(published.expect("is published").mp3, Some(mp3(second)));
    assert_eq!(by_mp3(first).await, None);
    assert_eq!(litter(&store).await, [first].into());
    for mp3_id in [first, second] {
        assert_eq!(store.jobs.waveform(mp3_id).await.expect("answers"), None);
    }
}

pub async fn a_retry_that_fails_keeps_the_mp3_before(store: Store) {
    let done = ready(&store).await;
    retry(&store, done.id, None).await.expect("begins");
    let lost = FileId::mint();
    let (lease, _) = granted(claim_as(&store, done.id, lost, HOUR).await);
    let failed = store.jobs.fail(&lease, &problem()).await.expect("fails");
    assert_eq!((failed.state, &failed.mp3), (State::Failed, &done.mp3));
    assert_eq!(litter(&store).await, [lost].into());
    assert_eq!(failed.mp3_ready(), None);
}

pub async fn each_run_has_a_mail(store: Store) {
    let id = ready(&store).await.id;
    for _ in 0..3 {
        let lease = mail_granted(claim_mail(&store, id, HOUR, HOUR).await);
        store.jobs.mailed(&lease).await.expect("is mailed");
        retry(&store, id, None).await.expect("begins");
        let early = claim_mail(&store, id, HOUR, HOUR).await;
        assert!(matches!(early, MailClaim::NotDue), "{early:?}");
        assert_eq!(
            store.jobs.unmailed(NO_TIME, MANY).await.expect("answers"),
            []
        );
        let (lease, _) = granted(claim(&store, id, HOUR).await);
        store.jobs.fail(&lease, &problem()).await.expect("fails");
        assert_eq!(
            store.jobs.unmailed(NO_TIME, MANY).await.expect("answers"),
            [id]
        );
    }
}

pub async fn a_mail_of_the_run_before_does_not_count_for_the_next(store: Store) {
    let id = ready(&store).await.id;
    let late = mail_granted(claim_mail(&store, id, HOUR, HOUR).await);
    retry(&store, id, None).await.expect("begins");
    assert!(is_lost(&store.jobs.mailed(&late).await));
    let (lease, _) = granted(claim(&store, id, HOUR).await);
    store.jobs.fail(&lease, &problem()).await.expect("fails");
    assert!(is_lost(&store.jobs.release_mail(&late).await));
    let mail = mail_granted(claim_mail(&store, id, HOUR, HOUR).await);
    store.jobs.mailed(&mail).await.expect("is mailed");
}

pub async fn ten_retries_at_once_begin_one_run(store: Store) {
    let id = failed(&store).await.id;
    let retries = (0..10).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { retry(&store, id, None).await })
    });
    let begun = join_all(retries).await.into_iter();
    let begun = begun.filter_map(|begun| begun.expect("no task panics"));
    assert_eq!(begun.count(), 1);
    assert_eq!(job(&store, id).await.run, 2);
}

async fn retry(store: &Store, id: FileId, options: Option<&ConversionOptions>) -> Option<Job> {
    let begun = store.jobs.retry(id, options, turns(HOUR)).await;
    begun.expect("the store answers")
}
