use super::builders::{
    HOUR, at_once, claim_as, converting, failed, granted, mp3, new_job, uploaded, username,
};
use crate::{NewJob, Store, Usage};
use decant_events::FileId;

pub async fn what_a_person_takes_up_is_counted(store: Store) {
    let ann = username("ann");
    let usage = async || store.jobs.usage(&ann).await.expect("the store answers");
    let taken = |unfinished, stored_bytes| Usage {
        unfinished,
        stored_bytes,
    };
    failed(&store).await;
    converting(&store, HOUR).await;
    assert_eq!(usage().await, Usage::default(), "it is all kevin's");

    let new = NewJob {
        owner: ann.clone(),
        ..new_job()
    };
    let upload = store.jobs.begin(new, HOUR).await.expect("begins");
    assert_eq!(usage().await, taken(1, 0));
    let first = uploaded(&store, &ann, at_once(1)).await.id;
    let second = uploaded(&store, &ann, at_once(1)).await.id;
    assert_eq!(usage().await, taken(3, 2_000));
    store.jobs.discard(&upload).await.expect("is discarded");

    let mp3_id = FileId::mint();
    let (lease, _) = granted(claim_as(&store, first, mp3_id, HOUR).await);
    assert_eq!(usage().await, taken(2, 2_000));
    let published = store.jobs.publish(&lease, mp3(mp3_id), &[]).await;
    published.expect("is published");
    assert_eq!(usage().await, taken(1, 2_000 + 4_321));
    for (id, left) in [(second, taken(0, 1_000 + 4_321)), (first, taken(0, 0))] {
        let cancelled = store.jobs.cancel(id).await.expect("answers");
        assert!(cancelled.is_some());
        assert_eq!(usage().await, left);
    }
}
