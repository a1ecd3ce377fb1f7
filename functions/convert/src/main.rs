//! Turns an uploaded video into an MP3.

use decant_convert::{App, Config, router};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    decant_audio::free_blocks_at_once();
    let config: Config = decant_function::settings();
    let _telemetry = decant_function::telemetry::init("convert")?; // flushes on drop
    let app = App::connect(&config).await?;
    decant_function::serve(&config.server, router(app)).await?; // drains on SIGTERM
    Ok(())
}
