//! Languages that a track may be asked for in.

/// Whether `code`, in lower case, is one of the two letters of ISO 639-1 or any three.
///
/// Those of two are a closed list: none is added for a language that has three, and all of them do. Those of three (ISO 639-3)
/// are nearly 8,000 and change every year: whether a video has such a track is found out when it is there.
pub(super) fn is_code(code: &str) -> bool {
    match code.len() {
        2 => TWO_LETTERS
            .split_ascii_whitespace()
            .any(|known| known == code),
        3 => code.bytes().all(|byte| byte.is_ascii_lowercase()),
        _ => false,
    }
}

/// ISO 639-1, with `bh`, which was in it for a time.
const TWO_LETTERS: &str = "\
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el \
    en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu \
    ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na \
    nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so \
    sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";
