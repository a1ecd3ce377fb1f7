//! Signs people in. Without a subcommand it serves.

use decant_auth::{App, Invocation, router};
use std::sync::Arc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = match decant_function::settings() {
        Invocation::Serve(config) => Arc::new(config),
        Invocation::Command(command) => return command.run().await,
    };
    config.check()?;
    let _telemetry = decant_function::telemetry::init("auth")?; // flushes on drop
    let app = decant_function::lazily(Arc::clone(&config), |config| async move {
        Ok(router(App::connect(&config).await?))
    });
    decant_function::serve(&config.server, app).await?; // drains on SIGTERM
    Ok(())
}
