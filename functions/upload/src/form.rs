use crate::{error::Error, incoming::IDLE};
use bytes::Bytes;
use decant_events::{ConversionOptions, InvalidOption};
use futures::{Stream, StreamExt};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use tokio::time::timeout;

/// The largest field of a form that is read at all: no option's text is longer.
const LARGEST_FIELD_BYTES: usize = 16 * 1024;

const JPEG: &[u8] = &[0xff, 0xd8, 0xff];
const PNG: &[u8] = b"\x89PNG";

/// What comes with a video: options, and a cover. From the query, then from a form's fields.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// The name of a video that is sent as the body itself.
    pub(crate) file_name: Option<String>,
    pub(crate) options: ConversionOptions,
    pub(crate) cover: Option<Vec<u8>>,
    given: BTreeSet<String>,
}

impl Form {
    /// Takes the query's fields.
    pub(crate) fn of_query(query: Vec<(String, String)>) -> Result<Self, Error> {
        let mut form = Self::default();
        for (name, text) in query {
            match name.as_str() {
                "filename" => {
                    form.once(&name)?;
                    form.file_name = Some(text);
                }
                _ => form.take(&name, &text)?,
            }
        }
        form.options.check()?;
        Ok(form)
    }

    /// Takes options from a JSON object, each as a form has it.
    pub(crate) fn take_json(&mut self, object: Map<String, Value>) -> Result<(), Error> {
        for (name, value) in object {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(wrong(&name, "several values", "one value"));
                }
            };
            self.take(&name, &text)?;
        }
        Ok(())
    }

    /// The options, if any was named, be it with an empty value.
    pub(crate) fn named(&self) -> Option<&ConversionOptions> {
        (!self.given.is_empty()).then_some(&self.options)
    }

    /// Takes one part of a form that isn't the video.
    pub(crate) async fn read(
        &mut self,
        name: &str,
        bytes: impl Stream<Item = Result<Bytes, Error>> + Unpin,
    ) -> Result<(), Error> {
        if name == "cover" {
            self.once(name)?;
            let largest = ConversionOptions::LARGEST_COVER_BYTES;
            let picture = up_to(largest, bytes).await?;
            self.cover = check_cover(picture)?;
            return Ok(());
        }
        // Before its text is read, which may be a video.
        if !ConversionOptions::NAMES.contains(&name) {
            return Err(InvalidOption::Unknown(name.to_owned()).into());
        }
        let text = up_to(LARGEST_FIELD_BYTES, bytes).await?;
        let text = text.ok_or_else(|| wrong(name, "more than 16 KiB", "a shorter text"))?;
        let text = String::from_utf8(text)
            .map_err(|_| wrong(name, "in an unknown encoding", "text in UTF-8"))?;
        self.take(name, &text)
    }

    /// Takes an option as people write it.
    pub(crate) fn take(&mut self, name: &str, text: &str) -> Result<(), Error> {
        self.options.set(name, text)?;
        self.once(name)
    }

    fn once(&mut self, name: &str) -> Result<(), Error> {
        match self.given.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(InvalidOption::Repeated(name.to_owned()).into()),
        }
    }
}

fn check_cover(picture: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Error> {
    let expected = "a JPEG or PNG of at most 192 KiB";
    match picture {
        None => Err(wrong("cover", "more than 192 KiB", expected)),
        // What a browser sends where no file was chosen.
        Some(picture) if picture.is_empty() => Ok(None),
        Some(picture) if picture.starts_with(JPEG) || picture.starts_with(PNG) => Ok(Some(picture)),
        Some(_) => Err(wrong("cover", "another kind of file", expected)),
    }
}

/// All bytes, or `None` if there are more than `largest`.
async fn up_to(
    largest: usize,
    mut bytes: impl Stream<Item = Result<Bytes, Error>> + Unpin,
) -> Result<Option<Vec<u8>>, Error> {
    let mut all = Vec::new();
    while let Some(piece) = timeout(IDLE, bytes.next())
        .await
        .map_err(|_| Error::Stalled)?
    {
        all.extend(piece?);
        if all.len() > largest {
            return Ok(None);
        }
    }
    Ok(Some(all))
}

/// A field that is there and can't be taken.
pub(crate) fn wrong(name: &str, got: &str, expected: &str) -> Error {
    let (name, got, expected) = (name.to_owned(), got.to_owned(), expected.to_owned());
    Error::InvalidOption(InvalidOption::Value {
        name,
        got,
        expected,
    })
}
