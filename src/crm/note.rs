//! Notes on customers, accounts and documents, and annotations at a place of a page.
//!
//! A note never touches the document: it is a row of its own that names it. The place is a page with a box or a line, and
//! the text that stood there when it was made, so that it can be told when something else is shown there.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::store::{Change, Data, Entry, Kept, Page, key, newest_first};
use super::timeline::{EntryKind, timeline_keys};
use super::{Crm, CrmError, Time, Viewer, long, short};
use crate::archive::DocId;
use crate::archive::kv::Family;

/// A note as kept.
pub type Note = Kept<NoteData>;

/// Who may read a note.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Its author.
    Private,
    /// The organisation.
    #[default]
    Staff,
    /// The organisation and the customer.
    Shared,
}

/// What is known of a note.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoteData {
    /// The customer that it is about.
    pub customer: Option<String>,
    /// The account that it is about.
    pub account: Option<String>,
    /// The document that it is about.
    pub document: Option<String>,
    /// Where in the document.
    pub place: Option<Place>,
    /// The text.
    pub text: String,
    /// Who may read it.
    pub visibility: Visibility,
    /// User name of its author.
    pub author: String,
    /// When it was written.
    pub written_at: Time,
    /// Taken back: it is no longer shown, its history stays.
    pub withdrawn: bool,
}

/// A place in a document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Place {
    /// Page, from 1.
    pub page: u32,
    /// A box on the page in parts of its width and height, from the upper left corner.
    #[serde(rename = "box")]
    pub area: Option<Area>,
    /// A line of the page's text, from 1.
    pub line: Option<u32>,
    /// The text that stood there.
    pub text: String,
}

// The numbers come from JSON, which has no NaN.
impl Eq for Place {}

/// A box: each number from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Eq for Area {}

impl Place {
    /// The same, or what is wrong with it.
    pub fn checked(mut self) -> Result<Place, CrmError> {
        if self.page == 0 || self.line == Some(0) {
            return Err(CrmError::invalid("place", "pages and lines count from 1"));
        }
        if let Some(area) = self.area {
            let inside = |from: f64, size: f64| from >= 0.0 && size > 0.0 && from + size <= 1.000_001;
            if !inside(area.x, area.width) || !inside(area.y, area.height) {
                return Err(CrmError::invalid("place", "a box lies inside its page; its numbers are from 0 to 1"));
            }
        }
        self.text = short("place.text", &self.text)?;
        Ok(self)
    }
}

/// A note to write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewNote {
    /// The customer that it is about.
    pub customer: Option<String>,
    /// The account that it is about.
    pub account: Option<String>,
    /// The document that it is about.
    pub document: Option<String>,
    /// Where in the document.
    pub place: Option<Place>,
    /// The text.
    pub text: String,
    /// Who may read it.
    pub visibility: Visibility,
}

impl Data for NoteData {
    const FAMILY: Family = Family::Activity;
    const LETTER: u8 = b'n';
    const WHAT: &'static str = "note";

    fn entries(&self, id: &str) -> Vec<Entry> {
        if self.withdrawn {
            return Vec::new();
        }
        let mut keys =
            timeline_keys(self.customer.as_deref(), self.account.as_deref(), self.written_at, EntryKind::Note, id);
        if let Some(document) = &self.document {
            keys.push(key(b'd', &[document.as_bytes(), &newest_first(self.written_at), id.as_bytes()]));
        }
        keys.into_iter().map(|key| (Family::Activity, key)).collect()
    }
}

impl NoteData {
    /// Whether somebody may read it, as far as the note itself decides.
    pub fn is_for(&self, viewer: Viewer<'_>) -> bool {
        if self.withdrawn {
            return false;
        }
        match (self.visibility, viewer) {
            (Visibility::Private, viewer) => viewer.is_staff() && viewer.name() == self.author,
            (Visibility::Staff, viewer) => viewer.is_staff(),
            (Visibility::Shared, _) => true,
        }
    }
}

impl Note {
    /// The note as a W3C Web Annotation (JSON-LD); `base` is the address of the server, `https://...` without a slash at
    /// its end. `None` for a note on no document.
    pub fn web_annotation(&self, base: &str) -> Option<Json> {
        let document = self.document.as_ref()?;
        let source = format!("{base}/api/v1/documents/{document}");
        let target = match &self.place {
            None => json!(source),
            Some(place) => {
                let mut selectors = Vec::new();
                let fragment = match (place.area, place.line) {
                    (Some(area), _) => {
                        let percent = |part: f64| (part * 100_000.0).round() / 1000.0;
                        let (x, y) = (percent(area.x), percent(area.y));
                        let (width, height) = (percent(area.width), percent(area.height));
                        // RFC 8118 names the page, Media Fragments 1.0 the box in percent.
                        format!("page={}&xywh=percent:{x},{y},{width},{height}", place.page)
                    }
                    (None, Some(line)) => format!("page={}&line={line}", place.page),
                    (None, None) => format!("page={}", place.page),
                };
                selectors.push(json!({ "type": "FragmentSelector", "value": fragment }));
                if !place.text.is_empty() {
                    selectors.push(json!({ "type": "TextQuoteSelector", "exact": place.text }));
                }
                json!({ "source": source, "selector": selectors })
            }
        };
        Some(json!({
            "@context": "http://www.w3.org/ns/anno.jsonld",
            "id": format!("{base}/api/v1/notes/{}", self.id),
            "type": "Annotation",
            "motivation": "commenting",
            "created": self.created_at,
            "modified": self.changed_at,
            "creator": { "type": "Person", "nickname": self.author },
            "body": { "type": "TextualBody", "value": self.text, "format": "text/plain" },
            "target": target,
        }))
    }
}

impl Crm {
    /// Writes a note. Whether the author may see the document is for the caller to ask.
    pub fn add_note(&self, author: &str, new: NewNote) -> Result<Note, CrmError> {
        self.check_subject(new.customer.as_deref(), new.account.as_deref())?;
        if new.customer.is_none() && new.account.is_none() && new.document.is_none() {
            return Err(CrmError::invalid("customer", "a note is about a customer, an account or a document"));
        }
        if let Some(document) = &new.document
            && document.parse::<DocId>().is_err()
        {
            return Err(CrmError::invalid("document", "it is an id such as 7-123"));
        }
        if new.place.is_some() && new.document.is_none() {
            return Err(CrmError::invalid("place", "only documents have places"));
        }
        let place = new.place.map(Place::checked).transpose()?;
        self.add(
            author,
            NoteData {
                customer: new.customer,
                account: new.account,
                document: new.document,
                place,
                text: long("text", &new.text)?,
                visibility: new.visibility,
                author: author.to_string(),
                written_at: self.now(),
                withdrawn: false,
            },
        )
    }

    /// A note that somebody may read.
    pub fn note(&self, viewer: Viewer<'_>, id: &str) -> Result<Note, CrmError> {
        let note: Note = self.need(id)?;
        let seen = note.is_for(viewer) && self.shows(viewer, note.customer.as_deref(), note.account.as_deref())?;
        if seen { Ok(note) } else { Err(CrmError::NotFound { what: NoteData::WHAT }) }
    }

    /// Gives a note another text or other readers; only its author may.
    pub fn change_note(
        &self,
        author: &str,
        id: &str,
        expected: Option<u64>,
        text: Option<&str>,
        visibility: Option<Visibility>,
    ) -> Result<Note, CrmError> {
        self.own_note(author, id)?;
        let text = text.map(|text| long("text", text)).transpose()?;
        self.change(author, id, expected, |data: &mut NoteData| {
            if let Some(text) = text {
                data.text = text;
            }
            data.visibility = visibility.unwrap_or(data.visibility);
            Ok(())
        })
    }

    /// Takes a note back; only its author may.
    pub fn withdraw_note(&self, author: &str, id: &str) -> Result<Note, CrmError> {
        self.own_note(author, id)?;
        self.change(author, id, None, |data: &mut NoteData| {
            data.withdrawn = true;
            Ok(())
        })
    }

    /// Who changed what of a note, oldest first.
    pub fn note_history(&self, id: &str) -> Result<Vec<Change>, CrmError> {
        self.changes::<NoteData>(id)
    }

    /// The notes on a document that somebody may read, newest first.
    pub fn notes_on(
        &self,
        viewer: Viewer<'_>,
        document: DocId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Note>, CrmError> {
        let prefix = key(b'd', &[document.to_string().as_bytes(), b""]);
        self.page_of(Family::Activity, &prefix, cursor, limit, |note: &Note| note.is_for(viewer))
    }

    fn own_note(&self, author: &str, id: &str) -> Result<(), CrmError> {
        let note: Note = self.need(id)?;
        if note.author == author && !note.withdrawn { Ok(()) } else { Err(CrmError::NotFound { what: NoteData::WHAT }) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::crm;
    use super::*;

    fn on(document: &str, visibility: Visibility) -> NewNote {
        NewNote { document: Some(document.into()), text: "wrong tariff?".into(), visibility, ..NewNote::default() }
    }

    #[test]
    fn notes_are_read_by_those_they_are_for() {
        let (crm, clock) = crm();
        let document: DocId = "7-3".parse().expect("an id");
        for visibility in [Visibility::Private, Visibility::Staff, Visibility::Shared] {
            clock.turn(1);
            crm.add_note("ann", on("7-3", visibility)).expect("written");
        }
        crm.add_note("ann", on("7-30", Visibility::Shared)).expect("written");
        let accounts = ["4711".to_string()];
        let carl = Viewer::Customer { name: "ann", accounts: &accounts };
        let count = |viewer| crm.notes_on(viewer, document, None, 10).expect("read").items.len();
        assert_eq!([count(Viewer::Staff("ann")), count(Viewer::Staff("bob")), count(carl)], [3, 2, 1]);
        let newest = crm.notes_on(Viewer::Staff("ann"), document, None, 1).expect("read");
        assert_eq!(newest.items[0].visibility, Visibility::Shared);
        let rest = crm.notes_on(Viewer::Staff("ann"), document, newest.next_cursor.as_deref(), 9).expect("read");
        assert_eq!(rest.items.len(), 2);
    }

    #[test]
    fn only_the_author_changes_a_note_and_what_is_taken_back_is_gone_but_remembered() {
        let (crm, _) = crm();
        let note = crm.add_note("ann", on("7-3", Visibility::Shared)).expect("written");
        assert!(matches!(crm.change_note("bob", &note.id, None, Some("x"), None), Err(CrmError::NotFound { .. })));
        crm.change_note("ann", &note.id, Some(1), Some("right tariff"), None).expect("changed");
        crm.withdraw_note("ann", &note.id).expect("taken back");
        assert!(crm.note(Viewer::Staff("ann"), &note.id).is_err());
        let document: DocId = "7-3".parse().expect("an id");
        assert_eq!(crm.notes_on(Viewer::Staff("ann"), document, None, 9).expect("read").items, []);
        let history = crm.note_history(&note.id).expect("read");
        assert_eq!(history.len(), 3);
        assert_eq!(history[1].fields[0].before, "wrong tariff?");
    }

    #[test]
    fn annotations_say_their_place_as_the_w3c_has_it() {
        let (crm, _) = crm();
        let place = Place {
            page: 2,
            area: Some(Area { x: 0.1, y: 0.25, width: 0.5, height: 0.05 }),
            line: None,
            text: "LATE FEE 12.00".into(),
        };
        let note = NewNote { place: Some(place), ..on("7-3", Visibility::Staff) };
        let json =
            crm.add_note("ann", note).expect("written").web_annotation("https://g.example").expect("on a document");
        assert_eq!(json["target"]["source"], "https://g.example/api/v1/documents/7-3");
        assert_eq!(json["target"]["selector"][0]["value"], "page=2&xywh=percent:10,25,50,5");
        assert_eq!(json["target"]["selector"][1]["exact"], "LATE FEE 12.00");
        let outside =
            Place { page: 1, area: Some(Area { x: 0.9, y: 0.0, width: 0.2, height: 0.1 }), ..Place::default() };
        let bad = NewNote { place: Some(outside), ..on("7-3", Visibility::Staff) };
        assert!(matches!(crm.add_note("ann", bad), Err(CrmError::Invalid { field: "place", .. })));
    }
}
