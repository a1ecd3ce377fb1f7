//! Turns an uploaded video into an MP3.

use decant_convert::{App, Config, router};
use std::sync::Arc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    decant_audio::free_blocks_at_once();
    let config: Arc<Config> = Arc::new(decant_function::settings());
    config.check()?;
    let _telemetry = decant_function::telemetry::init("convert")?; // flushes on drop
    let app = decant_function::lazily(Arc::clone(&config), |config| async move {
        Ok(router(App::connect(&config).await?))
    });
    decant_function::serve(&config.server, app).await?; // drains on SIGTERM
    Ok(())
}
