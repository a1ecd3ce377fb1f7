//! The public door: login, uploads, jobs, downloads.

use decant_upload::{App, Config, router};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config: Config = decant_function::settings();
    let _telemetry = decant_function::telemetry::init("upload")?; // flushes on drop
    let app = App::connect(&config).await?;
    decant_function::serve(&config.server, router(app)).await?; // drains on SIGTERM
    Ok(())
}
