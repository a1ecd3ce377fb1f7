//! Builds again when a migration is added: `sqlx::migrate!` can't tell cargo about files that weren't there.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
