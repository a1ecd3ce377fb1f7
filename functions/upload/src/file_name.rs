use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest name that is kept, in bytes, as most file systems have it; cut at a character.
const LONGEST_BYTES: usize = 200;

/// What RFC 8187 lets stand as it is.
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The name that a client gave its video, without folders and control characters. Clients percent-encode a quotation
/// mark and line ends in multipart names (WHATWG HTML, multipart/form-data encoding), and nothing else.
pub(crate) fn clean(name: &str) -> String {
    let name = name
        .replace("%22", "\"")
        .replace("%0D", "")
        .replace("%0A", "");
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    plain(base).unwrap_or_else(|| "video".to_owned())
}

/// A title that a person gives a job, and with it the MP3's file: without folders, so that `AC/DC` becomes `AC-DC`. `None` if
/// nothing is left of it.
pub(crate) fn clean_title(title: &str) -> Option<String> {
    plain(&title.replace(['/', '\\'], "-"))
}

/// One line that turns nothing around, cut at the longest that is kept.
fn plain(text: &str) -> Option<String> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_control() && !is_format(*c))
        .collect();
    let plain = plain.trim();
    let mut end = plain.len().min(LONGEST_BYTES);
    while !plain.is_char_boundary(end) {
        end -= 1;
    }
    match plain[..end].trim_end() {
        "" | "." | ".." => None,
        text => Some(text.to_owned()),
    }
}

/// Characters that turn the direction of text around: they can make `exe.mp3` look like `3pm.exe`.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The `Content-Disposition` of a download (RFC 6266): the name in UTF-8, and in ASCII for those who read only that.
pub(crate) fn attachment(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .map(|c| {
            if matches!(c, '"' | '\\' | '/' | '%') {
                '_'
            } else {
                c
            }
        })
        .collect();
    let utf8 = utf8_percent_encode(name, ATTR_CHAR);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_folders_and_control_characters_only() {
        for (given, kept) in [
            ("Größe 🎬.mp4", "Größe 🎬.mp4"),
            ("C:\\videos\\a.mp4", "a.mp4"),
            ("../../etc/passwd", "passwd"),
            ("a\r\nb\0.mp4", "ab.mp4"),
            ("say %22hi%22.mp4", "say \"hi\".mp4"),
            ("100%.mp4", "100%.mp4"),
            ("", "video"),
            ("..", "video"),
            ("photo\u{202e}3pm.exe", "photo3pm.exe"),
        ] {
            assert_eq!(clean(given), kept);
        }
        assert!(clean(&"ü".repeat(500)).len() <= LONGEST_BYTES);
    }

    #[test]
    fn a_title_is_one_line_that_can_be_a_files_name() {
        for (given, kept) in [
            ("Größe 🎬 v1.mp4", Some("Größe 🎬 v1.mp4")),
            ("AC/DC\\live", Some("AC-DC-live")),
            ("  two\nlines\u{202e} ", Some("twolines")),
            ("100 %22", Some("100 %22")),
            (" \t", None),
            ("..", None),
        ] {
            assert_eq!(clean_title(given).as_deref(), kept);
        }
        let cut = clean_title(&"ü".repeat(500));
        assert_eq!(cut.map(|title| title.len()), Some(LONGEST_BYTES));
    }

    #[test]
    fn a_download_has_its_name_twice() {
        assert_eq!(
            attachment("Ü \"1\".mp3"),
            "attachment; filename=\"_ _1_.mp3\"; filename*=UTF-8''%C3%9C%20%221%22.mp3"
        );
    }
}
