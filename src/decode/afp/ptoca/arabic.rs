//! Arabic letters joined to their neighbours: each becomes the presentation form of its place in the word.
//!
//! Rule: Unicode, "Arabic Cursive Joining", with the forms of the block Arabic Presentation Forms-B (and those of Forms-A for
//! Persian), which fonts for printers carry. What these forms cannot say, such as where marks stand on a letter, is not done.

/// Letters of which a form exists, by the form that stands alone, and how many forms there are in the order alone, final,
/// initial, medial: letters with two are not joined to what follows.
const LETTERS: &[(char, char, u8)] = &[
    ('\u{621}', '\u{FE80}', 1),
    ('\u{622}', '\u{FE81}', 2),
    ('\u{623}', '\u{FE83}', 2),
    ('\u{624}', '\u{FE85}', 2),
    ('\u{625}', '\u{FE87}', 2),
    ('\u{626}', '\u{FE89}', 4),
    ('\u{627}', '\u{FE8D}', 2),
    ('\u{628}', '\u{FE8F}', 4),
    ('\u{629}', '\u{FE93}', 2),
    ('\u{62A}', '\u{FE95}', 4),
    ('\u{62B}', '\u{FE99}', 4),
    ('\u{62C}', '\u{FE9D}', 4),
    ('\u{62D}', '\u{FEA1}', 4),
    ('\u{62E}', '\u{FEA5}', 4),
    ('\u{62F}', '\u{FEA9}', 2),
    ('\u{630}', '\u{FEAB}', 2),
    ('\u{631}', '\u{FEAD}', 2),
    ('\u{632}', '\u{FEAF}', 2),
    ('\u{633}', '\u{FEB1}', 4),
    ('\u{634}', '\u{FEB5}', 4),
    ('\u{635}', '\u{FEB9}', 4),
    ('\u{636}', '\u{FEBD}', 4),
    ('\u{637}', '\u{FEC1}', 4),
    ('\u{638}', '\u{FEC5}', 4),
    ('\u{639}', '\u{FEC9}', 4),
    ('\u{63A}', '\u{FECD}', 4),
    ('\u{641}', '\u{FED1}', 4),
    ('\u{642}', '\u{FED5}', 4),
    ('\u{643}', '\u{FED9}', 4),
    (LAM, '\u{FEDD}', 4),
    ('\u{645}', '\u{FEE1}', 4),
    ('\u{646}', '\u{FEE5}', 4),
    ('\u{647}', '\u{FEE9}', 4),
    ('\u{648}', '\u{FEED}', 2),
    ('\u{649}', '\u{FEEF}', 2),
    ('\u{64A}', '\u{FEF1}', 4),
    ('\u{67E}', '\u{FB56}', 4),
    ('\u{686}', '\u{FB7A}', 4),
    ('\u{698}', '\u{FB8A}', 2),
    ('\u{6A9}', '\u{FB8E}', 4),
    ('\u{6AF}', '\u{FB92}', 4),
    ('\u{6CC}', '\u{FBFC}', 4),
];

const LAM: char = '\u{644}';
/// Lengthens a line between letters: joined on both sides, with one form.
const TATWEEL: char = '\u{640}';

/// Alef behind lam makes one letter of both, by the form that stands alone; the final one follows it.
const LAM_ALEF: &[(char, char)] =
    &[('\u{622}', '\u{FEF5}'), ('\u{623}', '\u{FEF7}'), ('\u{625}', '\u{FEF9}'), ('\u{627}', '\u{FEFB}')];

/// Letters that are joined to their neighbours.
pub fn is_arabic(ch: char) -> bool {
    matches!(ch, '\u{600}'..='\u{8FF}')
}

/// Marks on a letter, which do not part it from the next one.
fn is_mark(ch: char) -> bool {
    matches!(ch, '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6DC}')
}

fn forms(ch: char) -> Option<(char, u8)> {
    LETTERS.iter().find(|(letter, ..)| *letter == ch).map(|(_, alone, count)| (*alone, *count))
}

fn joins_next(ch: Option<char>) -> bool {
    ch.is_some_and(|ch| ch == TATWEEL || forms(ch).is_some_and(|(_, count)| count == 4))
}

fn joins_before(ch: Option<char>) -> bool {
    ch.is_some_and(|ch| ch == TATWEEL || forms(ch).is_some_and(|(_, count)| count > 1))
}

fn after(form: char, steps: u32) -> char {
    char::from_u32(u32::from(form) + steps).unwrap_or(form)
}

/// Text in the order of reading, each character with the number of the one that it stands for: letters as joined forms, lam
/// and alef as one.
pub fn joined(text: &[char]) -> Vec<(usize, char)> {
    let mut out = Vec::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut skipped = None;
    for (at, ch) in text.iter().copied().enumerate() {
        if skipped == Some(at) {
            continue;
        }
        if is_mark(ch) {
            out.push((at, ch));
            continue;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let next = rest.iter().position(|ch| !is_mark(*ch)).and_then(|next| Some((at + 1 + next, *rest.get(next)?)));
        let joins = joins_next(before);
        let ligature = next.filter(|_| ch == LAM).and_then(|(place, next)| {
            LAM_ALEF.iter().find(|(alef, _)| *alef == next).map(|(alef, form)| (place, *alef, *form))
        });
        if let Some((place, alef, form)) = ligature {
            out.push((at, after(form, u32::from(joins))));
            (skipped, before) = (Some(place), Some(alef));
            continue;
        }
        let form = forms(ch).map(|(alone, count)| {
            let joined = (count > 1 && joins, count == 4 && joins_before(next.map(|(_, next)| next)));
            match joined {
                (false, false) => alone,
                (true, false) => after(alone, 1),
                (false, true) => after(alone, 2),
                (true, true) => after(alone, 3),
            }
        });
        out.push((at, form.unwrap_or(ch)));
        before = Some(ch);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> String {
        joined(&text.chars().collect::<Vec<_>>()).iter().map(|(_, ch)| *ch).collect()
    }

    #[test]
    fn letters_take_the_form_of_their_place() {
        // Beh three times: initial, medial, final; alone between others.
        assert_eq!(word("\u{628}\u{628}\u{628}"), "\u{FE91}\u{FE92}\u{FE90}");
        assert_eq!(word("a \u{628} 1"), "a \u{FE8F} 1");
        // Dal is not joined to what follows: sadr, "chest".
        assert_eq!(word("\u{635}\u{62F}\u{631}"), "\u{FEBB}\u{FEAA}\u{FEAD}");
        // Marks part nothing; hamza joins nothing; tatweel joins both sides.
        assert_eq!(word("\u{628}\u{64E}\u{628}"), "\u{FE91}\u{64E}\u{FE90}");
        assert_eq!(word("\u{628}\u{621}\u{628}"), "\u{FE8F}\u{FE80}\u{FE8F}");
        assert_eq!(word("\u{640}\u{628}\u{640}"), "\u{640}\u{FE92}\u{640}");
        // Persian.
        assert_eq!(word("\u{67E}\u{6CC}"), "\u{FB58}\u{FBFD}");
    }

    #[test]
    fn lam_and_alef_are_one() {
        assert_eq!(word("\u{644}\u{627}"), "\u{FEFB}");
        // Salam, "peace": seen, lam with alef in its final form, meem alone.
        assert_eq!(word("\u{633}\u{644}\u{627}\u{645}"), "\u{FEB3}\u{FEFC}\u{FEE1}");
        assert_eq!(word("\u{644}\u{64E}\u{627}"), "\u{FEFB}\u{64E}");
    }
}
