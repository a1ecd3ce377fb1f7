//! Writes people the mail about their jobs, and sweeps up what got lost.

use decant_notify::{App, Config, router};
use std::sync::Arc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config: Arc<Config> = Arc::new(decant_function::settings());
    config.check()?;
    let _telemetry = decant_function::telemetry::init("notify")?; // flushes on drop
    let app = decant_function::lazily(Arc::clone(&config), |config| async move {
        Ok(router(App::connect(&config).await?))
    });
    decant_function::serve(&config.server, app).await?; // drains on SIGTERM
    Ok(())
}
