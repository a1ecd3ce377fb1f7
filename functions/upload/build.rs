//! Takes the dashboard's files, which scripts/web makes, into the program: each as it is and compressed, with its version.

use sha2::{Digest, Sha256};
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

const MISSING: &str = "the dashboard isn't built: run scripts/web, which makes web/dist, or name another folder in DECANT_WEB_DIST";

fn main() {
    println!("cargo::rerun-if-env-changed=DECANT_WEB_DIST");
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let dist =
        env::var_os("DECANT_WEB_DIST").map_or_else(|| here.join("../../web/dist"), PathBuf::from);
    println!("cargo::rerun-if-changed={}", dist.display());
    if !dist.join("index.html").is_file() {
        println!("cargo::error={MISSING}");
        return;
    }
    match write(&dist, &out) {
        Ok(()) => {}
        Err(error) => println!(
            "cargo::error=the dashboard in {} can't be taken in: {error}",
            dist.display()
        ),
    }
}

/// Writes `dashboard.rs`: the page, and what is below `assets`.
fn write(dist: &Path, out: &Path) -> io::Result<()> {
    let mut code = fs::File::create(out.join("dashboard.rs"))?;
    let page = file(&dist.join("index.html"), "index.html", out)?;
    writeln!(code, "static PAGE: File = {page};")?;
    writeln!(code, "static ASSETS: &[File] = &[")?;
    for path in assets(&dist.join("assets"))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(code, "{},", file(&path, &name, out)?)?;
    }
    writeln!(code, "];")
}

/// In the order of their names, so that the same files make the same program. What browsers don't ask for stays out.
fn assets(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_none_or(|extension| extension != "map"));
    paths.sort();
    Ok(paths)
}

/// One file as an expression.
fn file(path: &Path, name: &str, out: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let hash: String = Sha256::digest(&bytes)
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let content_type = content_type(name)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bytes)?;
    let gzip = smaller(gzip.finish()?, &bytes, &out.join(format!("{name}.gz")))?;
    let mut brotli = Vec::new();
    brotli::BrotliCompress(
        &mut &bytes[..],
        &mut brotli,
        &brotli::enc::BrotliEncoderParams::default(),
    )?;
    let brotli = smaller(brotli, &bytes, &out.join(format!("{name}.br")))?;
    let path = fs::canonicalize(path)?;
    Ok(format!(
        "File {{ name: {name:?}, content_type: {content_type:?}, hash: {hash:?}, bytes: include_bytes!({path:?}), \
         gzip: {gzip}, brotli: {brotli} }}"
    ))
}

/// The compressed bytes as an expression, if they are worth being unpacked.
fn smaller(compressed: Vec<u8>, bytes: &[u8], path: &Path) -> io::Result<String> {
    if compressed.len() * 10 > bytes.len() * 9 {
        return Ok("None".to_owned());
    }
    fs::write(path, compressed)?;
    Ok(format!("Some(include_bytes!({path:?}))"))
}

fn content_type(name: &str) -> io::Result<&'static str> {
    Ok(
        match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "ico" => "image/x-icon",
            "webp" => "image/webp",
            "woff2" => "font/woff2",
            "webmanifest" => "application/manifest+json",
            "json" => "application/json",
            "txt" => "text/plain; charset=utf-8",
            _ => {
                return Err(io::Error::other(format!(
                    "{name} is of a kind that build.rs has no content type for"
                )));
            }
        },
    )
}
