//! Writes people the mail about their jobs, and sweeps up what got lost.

use decant_notify::{App, Config, router};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config: Config = decant_function::settings();
    let _telemetry = decant_function::telemetry::init("notify")?; // flushes on drop
    let app = App::connect(&config).await?;
    decant_function::serve(&config.server, router(app)).await?; // drains on SIGTERM
    Ok(())
}
