//! Boxes of MP4 and MOV files, found and made by hand.

/// A box with this content.
pub fn atom(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut atom = (content.len() as u32 + 8).to_be_bytes().to_vec();
    atom.extend(kind);
    atom.extend(content);
    atom
}

/// Puts `new` in the place of the box at `path`, and lengthens the boxes around it.
pub fn replace(file: &mut Vec<u8>, path: &[&[u8; 4]], new: &[u8]) {
    let mut within = 0..file.len();
    let mut around = Vec::new();
    for kind in path {
        let start = find(file, within.clone(), kind);
        let size = size_at(file, start);
        within = start + 8..start + size;
        around.push(start);
    }
    let start = around.pop().expect("a path");
    let grown = new.len() as i64 - (within.end - start) as i64;
    file.splice(start..within.end, new.iter().copied());
    for start in around {
        let size = size_at(file, start) as i64 + grown;
        file[start..start + 4].copy_from_slice(&(size as u32).to_be_bytes());
    }
}

fn find(file: &[u8], within: std::ops::Range<usize>, kind: &[u8; 4]) -> usize {
    let mut at = within.start;
    while at + 8 <= within.end {
        if &file[at + 4..at + 8] == kind {
            return at;
        }
        at += size_at(file, at);
    }
    panic!("no box {}", String::from_utf8_lossy(kind));
}

fn size_at(file: &[u8], at: usize) -> usize {
    let size = file[at..at + 4].try_into().expect("four bytes");
    u32::from_be_bytes(size) as usize
}
