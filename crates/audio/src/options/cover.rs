use super::NotAnOption;

/// A picture, at most [`Cover::MAX_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Which of the two kinds that players show.
    pub format: CoverFormat,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Cover {
    /// Larger ones don't fit into the head of an MP3, which is replaced at the end.
    pub const MAX_BYTES: usize = 192 * 1024;
}

/// `image/jpeg` or `image/png`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoverFormat {
    /// Begins with FF D8 FF.
    Jpeg,
    /// Begins with 89 50 4E 47.
    Png,
}

impl TryFrom<Vec<u8>> for Cover {
    type Error = NotAnOption;

    /// The kind is told by the first bytes.
    fn try_from(bytes: Vec<u8>) -> Result<Self, NotAnOption> {
        let format = match bytes.as_slice() {
            [0xFF, 0xD8, 0xFF, ..] => CoverFormat::Jpeg,
            [0x89, b'P', b'N', b'G', ..] => CoverFormat::Png,
            _ => return Err(NotAnOption("a cover is a JPEG or PNG file")),
        };
        if bytes.len() > Self::MAX_BYTES {
            return Err(NotAnOption("a cover has at most 192 KiB"));
        }
        Ok(Self { format, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_are_known_by_their_first_bytes_and_not_too_large() {
        let jpeg = [&[0xFF, 0xD8, 0xFF, 0xE0][..], &[0; 100]].concat();
        let cover = Cover::try_from(jpeg.clone()).expect("a cover");
        assert_eq!((cover.format, cover.bytes.len()), (CoverFormat::Jpeg, 104));
        let mut large = jpeg;
        large.resize(Cover::MAX_BYTES, 0);
        assert!(Cover::try_from(large.clone()).is_ok());
        large.push(0);
        assert!(Cover::try_from(large).is_err());
        assert!(Cover::try_from(b"GIF89a".to_vec()).is_err());
        assert!(Cover::try_from(vec![]).is_err());
    }
}
