//! Languages as ISO 639 names them: `de`, `deu` and `ger` are one.

use std::fmt;

/// A language by its three letters of ISO 639-2/T, or those of 639-3 where 639-2 has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language([u8; 3]);

impl Language {
    /// By two letters, of which there are 184, or any three.
    pub(crate) fn of(code: &str) -> Option<Self> {
        let code = code.to_ascii_lowercase();
        let code = match code.len() {
            2 => second_of(TWO_LETTERS, &code)?,
            3 => second_of(BIBLIOGRAPHIC, &code).unwrap_or(&code),
            _ => return None,
        };
        Self::of_letters(code.as_bytes().try_into().ok()?)
    }

    /// By what a container says: several have commas in between, and regions follow a hyphen.
    pub(crate) fn all_of(tag: &str) -> impl Iterator<Item = Self> {
        tag.split([',', ';', '/'])
            .filter_map(|tag| tag.trim().split(['-', '_']).next())
            .filter_map(Self::of)
            .filter(|language| !UNTOLD.contains(&language.as_str()))
    }

    pub(crate) fn of_letters(letters: [u8; 3]) -> Option<Self> {
        letters
            .iter()
            .all(u8::is_ascii_lowercase)
            .then_some(Self(letters))
    }

    pub(crate) fn letters(self) -> [u8; 3] {
        self.0
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// "Undetermined", "several", "none of them" and "no code for it".
const UNTOLD: [&str; 4] = ["und", "mul", "zxx", "mis"];

/// What stands behind `first` in a table of words that are made of both.
fn second_of(table: &'static str, first: &str) -> Option<&'static str> {
    table
        .split_ascii_whitespace()
        .find_map(|both| both.strip_prefix(first).filter(|second| second.len() == 3))
}

/// ISO 639-1 and 639-2/T.
const TWO_LETTERS: &str = "\
    aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul bhbih bibis bmbam \
    bnben bobod brbre bsbos cacat ceche chcha cocos crcre csces cuchu cvchv cycym dadan dedeu dvdiv dzdzo eeewe \
    elell eneng eoepo esspa etest eueus fafas ffful fifin fjfij fofao frfra fyfry gagle gdgla glglg gngrn guguj \
    gvglv hahau heheb hihin hohmo hrhrv hthat huhun hyhye hzher iaina idind ieile igibo iiiii ikipk ioido isisl \
    itita iuiku jajpn jvjav kakat kgkon kikik kjkua kkkaz klkal kmkhm knkan kokor krkau kskas kukur kvkom kwcor \
    kykir lalat lbltz lglug lilim lnlin lolao ltlit lulub lvlav mgmlg mhmah mimri mkmkd mlmal mnmon mrmar msmsa \
    mtmlt mymya nanau nbnob ndnde nenep ngndo nlnld nnnno nonor nrnbl nvnav nynya ococi ojoji omorm orori ososs \
    papan pipli plpol pspus ptpor quque rmroh rnrun roron rurus rwkin sasan scsrd sdsnd sesme sgsag sisin skslk \
    slslv smsmo snsna sosom sqsqi srsrp ssssw stsot susun svswe swswa tatam tetel tgtgk ththa titir tktuk tltgl \
    tntsn toton trtur tstso tttat twtwi tytah uguig ukukr ururd uzuzb veven vivie vovol wawln wowol xhxho yiyid \
    yoyor zazha zhzho zuzul";

/// ISO 639-2/B, where it differs, and 639-2/T.
const BIBLIOGRAPHIC: &str = "\
    albsqi armhye baqeus burmya chizho czeces dutnld frefra geokat gerdeu greell iceisl macmkd maomri maymsa \
    perfas rumron sloslk tibbod welcym";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_a_language_are_one() {
        for codes in [
            ["de", "deu", "ger"],
            ["fr", "fra", "fre"],
            ["cs", "ces", "cze"],
            ["EN", "eng", "Eng"],
        ] {
            let languages = codes.map(Language::of);
            assert!(languages[0].is_some());
            assert_eq!(languages, [languages[0]; 3], "{codes:?}");
        }
        assert_ne!(Language::of("de"), Language::of("nl"));
        assert_eq!(Language::of("gsw"), Language::of_letters(*b"gsw"));
    }

    #[test]
    fn what_is_no_code_is_no_language() {
        for code in ["", "d", "xx", "deut", "d1", "d-e", "ü", "日"] {
            assert_eq!(Language::of(code), None, "{code}");
        }
    }

    #[test]
    fn a_containers_words_name_languages() {
        let named = |tag| {
            Language::all_of(tag)
                .map(|language| language.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(named("ger"), ["deu"]);
        assert_eq!(named("en-US"), ["eng"]);
        assert_eq!(named("deu,fre"), ["deu", "fra"]);
        assert!(named("und").is_empty());
        assert!(named("").is_empty());
    }

    #[test]
    fn the_tables_are_in_shape() {
        assert_eq!(TWO_LETTERS.split_ascii_whitespace().count(), 184);
        for both in TWO_LETTERS.split_ascii_whitespace() {
            assert_eq!(both.len(), 5, "{both}");
        }
        for both in BIBLIOGRAPHIC.split_ascii_whitespace() {
            assert_eq!(both.len(), 6, "{both}");
        }
    }
}
