//! `cargo run -p decant-audio --example clips -- FOLDER`: a small clip of each row of the formats' table, for `fuzz/run`
//! to begin with.

use std::fs;
use std::path::PathBuf;

#[allow(dead_code, unreachable_pub, reason = "the test uses the rest")]
#[path = "../tests/formats/table.rs"]
mod table;

/// Short, so that many can be tried in a second.
const SECONDS: &str = "0.3";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from);
    let folder = folder.ok_or("usage: clips FOLDER")?;
    fs::create_dir_all(&folder)?;
    let sound = ["-f", "lavfi", "-i", "sine=duration=0.3"].map(Into::into);
    for (number, row) in table::VIDEOS.iter().chain(table::SOUNDS).enumerate() {
        let clip = folder.join(format!("{number:03}"));
        if let Err(reason) = table::make(row, &sound, SECONDS, &clip) {
            eprintln!("{}: left out: {}", row.name(), reason.trim());
            let _nothing_was_made = fs::remove_file(&clip);
        }
    }
    for (name, _, bytes) in table::CLIPS {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
