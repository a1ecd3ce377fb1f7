use crate::eventually;
use mail_parser::{MessageParser, MimeHeaders};
use std::{fs, path::PathBuf, time::Duration};
use url::Url;

/// A folder of `.eml` files.
#[derive(Debug, Clone)]
pub struct Mailbox {
    folder: PathBuf,
}

/// A mail, decoded.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The address that it is for.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text part.
    pub text: String,
    /// Its HTML part.
    pub html: String,
}

impl Mailbox {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// All mails, in no order.
    pub fn mails(&self) -> Vec<Mail> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten();
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .map(|path| Mail::decode(&fs::read(path).expect("a mail")))
            .collect()
    }

    /// Waits for the one mail whose subject holds `words`, for at most `limit`.
    pub async fn wait_for(&self, words: &str, limit: Duration) -> Mail {
        let what = format!("a mail about {words}");
        let mut found = eventually(&what, limit, async || {
            let mut mails = self.mails();
            mails.retain(|mail| mail.subject.contains(words));
            (!mails.is_empty()).then_some(mails)
        })
        .await;
        assert_eq!(found.len(), 1, "one mail about {words}");
        found.remove(0)
    }
}

impl Mail {
    /// Reads a mail as it is sent.
    pub fn decode(raw: &[u8]) -> Self {
        let mail = MessageParser::default().parse(raw).expect("a mail");
        let parts = [("plain", &mail.text_body), ("html", &mail.html_body)].map(|(kind, parts)| {
            let part = parts
                .iter()
                .find_map(|part| mail.part(*part))
                .expect("a part");
            let ty = part.content_type().and_then(|ty| ty.subtype());
            assert_eq!(ty, Some(kind), "both parts are there");
            part.text_contents().expect("text").to_owned()
        });
        let [text, html] = parts;
        let to = mail
            .to()
            .and_then(|to| to.first())
            .and_then(|to| to.address());
        Self {
            to: to.expect("a recipient").to_owned(),
            subject: mail.subject().expect("a subject").to_owned(),
            text,
            html,
        }
    }

    /// Where its download link leads.
    pub fn link(&self) -> Url {
        let link = self.text.lines().find(|line| line.contains("/download?"));
        link.expect("a link").trim().parse().expect("an address")
    }
}
