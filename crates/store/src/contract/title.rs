use super::builders::{HOUR, clock_moves, failed, job, new_job, queued, ready};
use crate::{Job, Store};
use decant_events::FileId;

pub async fn a_job_has_a_title_of_its_own(store: Store) {
    let before = ready(&store).await;
    clock_moves(&store).await;
    let title = "$title 'one' \u{1f3b5} v1.mp4";
    let renamed = rename(&store, before.id, Some(title))
        .await
        .expect("is there");
    assert_eq!(
        (renamed.title(), renamed.file_name.as_str()),
        (title, "talk.mp4")
    );
    assert!(before.updated_at < renamed.updated_at);
    assert_eq!(job(&store, before.id).await, renamed);
    let said = renamed.mp3_ready().expect("it is ready");
    assert_eq!(said.title, title);
    let named_back = rename(&store, before.id, None).await.expect("is there");
    assert_eq!(
        (named_back.own_title.as_deref(), named_back.title()),
        (None, "talk")
    );
    assert_eq!(job(&store, before.id).await.title(), "talk");
}

pub async fn only_a_job_that_can_be_seen_is_renamed(store: Store) {
    let upload = store.jobs.begin(new_job(), HOUR).await.expect("begins");
    let cancelled = failed(&store).await.id;
    let done = store.jobs.cancel(cancelled).await.expect("answers");
    assert!(done.is_some());
    for id in [upload.job_id, cancelled, FileId::mint()] {
        assert_eq!(rename(&store, id, Some("Talk")).await, None);
    }
    let queued = queued(&store).await;
    assert!(rename(&store, queued, Some("Talk")).await.is_some());
}

async fn rename(store: &Store, id: FileId, title: Option<&str>) -> Option<Job> {
    let renamed = store.jobs.rename(id, title).await;
    renamed.expect("the store answers")
}
