//! Signs people in. Without a subcommand it serves.

use decant_auth::{App, Invocation, router};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = match decant_function::settings() {
        Invocation::Serve(config) => config,
        Invocation::Command(command) => return command.run().await,
    };
    let _telemetry = decant_function::telemetry::init("auth")?;
    let app = App::connect(&config).await?;
    decant_function::serve(&config.server, router(app)).await?;
    Ok(())
}
