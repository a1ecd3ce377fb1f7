//! One job under random sequences of operations by many holders, some of them late.

use super::builders::{
    HOUR, MAX_ATTEMPTS, NO_TIME, claim_as, claim_mail, is_lost, job, litter, mp3, problem,
    queued_with_gap, turns,
};
use crate::{Claim, Due, Error, Job, Lease, MailClaim, State, Store};
use decant_events::FileId;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{collections::BTreeSet, time::Duration};

/// A holder is an index into the leases granted so far, counted from the newest: 0 may still be valid, older ones may not.
#[derive(Debug, Clone)]
enum Operation {
    Claim { live: bool },
    Renew { holder: usize, live: bool },
    Release { holder: usize, forgive: bool },
    Publish { holder: usize },
    Fail { holder: usize },
    FailUndelivered,
    Announce,
    Unannounce,
    ClaimMail { live: bool },
    Mailed { holder: usize },
    ReleaseMail { holder: usize },
    Retry,
    Cancel,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let live = any::<bool>;
    let holder = || prop_oneof![3 => Just(0_usize), 1 => 1_usize..4];
    prop_oneof![
        6 => live().prop_map(|live| Claim { live }),
        2 => (holder(), live()).prop_map(|(holder, live)| Renew { holder, live }),
        2 => (holder(), live()).prop_map(|(holder, forgive)| Release { holder, forgive }),
        1 => holder().prop_map(|holder| Publish { holder }),
        1 => holder().prop_map(|holder| Fail { holder }),
        1 => Just(FailUndelivered),
        2 => Just(Announce),
        1 => Just(Unannounce),
        2 => live().prop_map(|live| ClaimMail { live }),
        1 => holder().prop_map(|holder| Mailed { holder }),
        1 => holder().prop_map(|holder| ReleaseMail { holder }),
        2 => Just(Retry),
        1 => Just(Cancel),
    ]
}

/// Runs random sequences, each on a fresh store; a failing one is made as short as possible.
pub fn run<Keep>(fresh_store: impl AsyncFn() -> (Store, Keep)) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&vec(operation(), 1..40), |operations| {
        runtime.block_on(async {
            let (store, _keep) = fresh_store().await;
            let mut witness = Witness::new(store).await;
            for operation in operations {
                witness.perform(operation).await;
                witness.check().await;
            }
        });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// What an honest onlooker knows about the job.
struct Witness {
    store: Store,
    id: FileId,
    attempts: Vec<(Lease, FileId)>,
    /// The newest attempt's lease is valid, and nobody else may be granted one.
    held: Option<Live>,
    /// The last announcement was not taken back.
    announced: bool,
    mails: Vec<Lease>,
    mail_held: Option<Live>,
    mailed: bool,
    run: u32,
    end: Option<Job>,
    cancelled: bool,
}

/// Whether a lease that nobody has taken has time left.
type Live = bool;

impl Witness {
    async fn new(store: Store) -> Self {
        let id = queued_with_gap(&store, NO_TIME).await;
        Self {
            store,
            id,
            attempts: Vec::new(),
            held: None,
            announced: true,
            mails: Vec::new(),
            mail_held: None,
            mailed: false,
            run: 1,
            end: None,
            cancelled: false,
        }
    }

    async fn perform(&mut self, operation: Operation) {
        match operation {
            Operation::Claim { live } => self.claim(live).await,
            Operation::Renew { holder, live } => {
                let Some((lease, _)) = nth(&self.attempts, holder) else {
                    return;
                };
                let result = self.store.jobs.renew(lease, time(live), Some(50.0)).await;
                if self.is_right(holder, &result) {
                    self.held = Some(live);
                }
            }
            Operation::Release { holder, forgive } => {
                let Some((lease, _)) = nth(&self.attempts, holder) else {
                    return;
                };
                let result = self.store.jobs.release(lease, forgive).await;
                if self.is_right(holder, &result) {
                    self.held = None;
                }
            }
            Operation::Publish { holder } => {
                let Some((lease, mp3_id)) = nth(&self.attempts, holder) else {
                    return;
                };
                let result = self.store.jobs.publish(lease, mp3(*mp3_id), &[]).await;
                self.may_end(holder, result);
            }
            Operation::Fail { holder } => {
                let Some((lease, _)) = nth(&self.attempts, holder) else {
                    return;
                };
                let result = self.store.jobs.fail(lease, &problem()).await;
                self.may_end(holder, result);
            }
            Operation::FailUndelivered => {
                let (jobs, problem) = (&self.store.jobs, problem());
                let failed = jobs.fail_undelivered(self.id, &problem, NO_TIME).await;
                let failed = failed.expect("the store answers");
                let may_fail = self.is_unheld() && self.announced;
                assert_eq!(failed.is_some(), may_fail);
                if failed.is_some() {
                    (self.held, self.end) = (None, failed);
                }
            }
            Operation::Announce => {
                let announced = self.store.jobs.announce_next(Due::ByGap, NO_TIME).await;
                let announced = announced.expect("the store answers");
                let is_due = self.is_unheld();
                assert_eq!(announced.is_some(), is_due);
                if is_due {
                    (self.held, self.announced) = (None, true);
                }
            }
            Operation::Unannounce => {
                let unannounced = self.store.jobs.unannounce(self.id).await;
                unannounced.expect("the store answers");
                self.announced = false;
            }
            Operation::ClaimMail { live } => self.claim_mail(live).await,
            Operation::Mailed { holder } => {
                let Some(lease) = nth(&self.mails, holder) else {
                    return;
                };
                let result = self.store.jobs.mailed(lease).await;
                if self.is_right_mail(holder, &result) {
                    (self.mail_held, self.mailed) = (None, true);
                }
            }
            Operation::ReleaseMail { holder } => {
                let Some(lease) = nth(&self.mails, holder) else {
                    return;
                };
                let result = self.store.jobs.release_mail(lease).await;
                if self.is_right_mail(holder, &result) {
                    self.mail_held = None;
                }
            }
            Operation::Retry => {
                let begun = self.store.jobs.retry(self.id, None, turns(NO_TIME)).await;
                let begun = begun.expect("the store answers");
                assert_eq!(begun.is_some(), self.end.is_some());
                if begun.is_some() {
                    (self.end, self.announced) = (None, true);
                    (self.mail_held, self.mailed) = (None, false);
                    self.run += 1;
                }
            }
            Operation::Cancel => {
                let cancelled = self.store.jobs.cancel(self.id).await;
                let cancelled = cancelled.expect("the store answers");
                assert_eq!(cancelled.is_none(), self.cancelled);
                (self.held, self.mail_held, self.end) = (None, None, None);
                self.cancelled = true;
            }
        }
    }

    /// The job is unfinished, and nobody's.
    fn is_unheld(&self) -> bool {
        self.end.is_none() && self.held != Some(true) && !self.cancelled
    }

    async fn claim(&mut self, live: bool) {
        let mp3_id = FileId::mint();
        match claim_as(&self.store, self.id, mp3_id, time(live)).await {
            Claim::Granted(lease, job) => {
                assert!(self.is_unheld());
                assert_eq!((job.state, job.run), (State::Converting, self.run));
                self.attempts.push((lease, mp3_id));
                self.held = Some(live);
            }
            Claim::Held => assert_eq!(self.held, Some(true)),
            Claim::Ended(job) => {
                assert_ne!(self.held, Some(true));
                assert!(self.end.is_some() || job.attempts == MAX_ATTEMPTS);
                self.held = None;
                self.end.get_or_insert(*job);
            }
            Claim::Missing => assert!(self.cancelled, "the video is stored"),
        }
    }

    async fn claim_mail(&mut self, live: bool) {
        match claim_mail(&self.store, self.id, time(live), NO_TIME).await {
            MailClaim::Granted(lease, _) => {
                assert!(self.end.is_some() && !self.mailed && self.mail_held != Some(true));
                self.mails.push(lease);
                self.mail_held = Some(live);
            }
            MailClaim::Held => assert_eq!(self.mail_held, Some(true)),
            MailClaim::NotDue => assert!(self.end.is_none() || self.mailed),
        }
    }

    /// A change must succeed under the one valid lease, and must find every other lost.
    fn is_right<T>(&self, holder: usize, result: &Result<T, Error>) -> bool {
        let holds = holder == 0 && self.held.is_some();
        assert_eq!((result.is_ok(), is_lost(result)), (holds, !holds));
        holds
    }

    fn is_right_mail<T>(&self, holder: usize, result: &Result<T, Error>) -> bool {
        let holds = holder == 0 && self.mail_held.is_some();
        assert_eq!((result.is_ok(), is_lost(result)), (holds, !holds));
        holds
    }

    fn may_end(&mut self, holder: usize, result: Result<Job, Error>) {
        if self.is_right(holder, &result) {
            (self.held, self.end) = (None, result.ok());
        }
    }

    async fn check(&self) {
        if self.cancelled {
            return self.check_the_tombstone().await;
        }
        let now = job(&self.store, self.id).await;
        assert_eq!(now.run, self.run);
        let expected = match (&self.end, self.held) {
            (Some(end), _) => end.state,
            (None, Some(_)) => State::Converting,
            (None, None) => State::Queued,
        };
        assert_eq!(now.state, expected);
        assert!(now.attempts <= MAX_ATTEMPTS);
        if let Some(end) = &self.end {
            assert!(end.state.is_final());
            assert_eq!((&now.mp3, &now.problem), (&end.mp3, &end.problem));
        }

        // Every MP3 is published, being written, or litter.
        let mut expected = self.mp3s();
        if let Some(published) = &now.mp3 {
            assert!(expected.remove(&published.id));
        }
        if let (Some(_), Some((_, mp3_id))) = (self.held, self.attempts.last()) {
            expected.remove(mp3_id);
        }
        assert_eq!(litter(&self.store).await, expected);
    }

    async fn check_the_tombstone(&self) {
        let hidden = self.store.jobs.get(self.id).await;
        assert_eq!(hidden.expect("the store answers"), None);
        assert_eq!(litter(&self.store).await, self.mp3s());
    }

    /// Those of all attempts.
    fn mp3s(&self) -> BTreeSet<FileId> {
        self.attempts.iter().map(|(_, mp3_id)| *mp3_id).collect()
    }
}

fn nth<T>(newest_last: &[T], holder: usize) -> Option<&T> {
    newest_last.iter().rev().nth(holder)
}

fn time(live: bool) -> Duration {
    if live { HOUR } else { NO_TIME }
}
