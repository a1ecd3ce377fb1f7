//! The queues in RabbitMQ do what the broker relies on.

mod queue_suite;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use decant_broker::RabbitQueues;
use decant_test_servers::RabbitServer;

#[tokio::test(flavor = "multi_thread")]
async fn queues_in_rabbitmq_hold_the_suite() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = RabbitServer::start(folder.path());
    // As many as the suite has tests, and some to spare.
    let vhosts: Vec<_> = (0..20).map(|n| format!("suite-{n}")).collect();
    server.add_vhosts(&vhosts.iter().map(String::as_str).collect::<Vec<_>>());
    let used = AtomicUsize::new(0);

    queue_suite::holds(async || {
        let vhost = &vhosts[used.fetch_add(1, Relaxed)];
        let url = server.setting(vhost).parse().expect("an address");
        RabbitQueues::connect(&url, "suite")
            .await
            .expect("RabbitMQ")
    })
    .await;
}
