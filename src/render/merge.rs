//! Joins PDFs into one, page after page: bundles for printers and folders.
//!
//! Pages keep their content, fonts and pictures; what a page inherits is written into it. Outlines, forms and the structure
//! for screen readers belong to single documents and are left out. The same PDFs give the same bytes.

use lopdf::{Document, Object, ObjectId, dictionary};

/// What a page may inherit from the nodes above it (ISO 32000-1, table 30).
const INHERITED: [&[u8]; 4] = [b"Resources", b"MediaBox", b"CropBox", b"Rotate"];
/// Nodes above a page at most; more is a loop.
const MOST_DEEP: usize = 64;

/// Joins PDFs; returns the bytes and how many pages each has. Fails with the words of the reader for what is no PDF.
pub fn merge(parts: &[Vec<u8>]) -> Result<(Vec<u8>, Vec<u32>), String> {
    let mut out = Document::with_version("1.7");
    let root = out.new_object_id();
    let (mut kids, mut counts) = (Vec::new(), Vec::new());
    for part in parts {
        let mut document = Document::load_mem(part).map_err(|error| error.to_string())?;
        document.renumber_objects_with(out.max_id + 1);
        let pages: Vec<ObjectId> = document.get_pages().into_values().collect();
        counts.push(u32::try_from(pages.len()).unwrap_or(u32::MAX));
        for page in &pages {
            whole(&mut document, *page, root)?;
        }
        out.max_id = out.max_id.max(document.max_id);
        kids.extend(pages.into_iter().map(Object::Reference));
        let node = |object: &Object| {
            let kind = object.as_dict().and_then(|dict| dict.get(b"Type")).and_then(Object::as_name);
            matches!(kind, Ok(b"Catalog" | b"Pages" | b"StructTreeRoot" | b"StructElem" | b"Outlines"))
        };
        out.objects.extend(document.objects.into_iter().filter(|(_, object)| !node(object)));
    }
    let count = i64::try_from(kids.len()).unwrap_or(i64::MAX);
    out.objects.insert(root, Object::Dictionary(dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }));
    let catalog = out.add_object(dictionary! { "Type" => "Catalog", "Pages" => root });
    out.trailer.set("Root", catalog);
    out.prune_objects();
    let mut bytes = Vec::new();
    out.save_to(&mut bytes).map_err(|error| error.to_string())?;
    Ok((bytes, counts))
}

/// Writes into a page what it inherits, and hangs it under the new root.
fn whole(document: &mut Document, page: ObjectId, root: ObjectId) -> Result<(), String> {
    let broken = |error: lopdf::Error| error.to_string();
    let mut found = Vec::new();
    for key in INHERITED {
        let mut at = document.get_dictionary(page).map_err(broken)?;
        for _ in 0..MOST_DEEP {
            if let Ok(value) = at.get(key) {
                found.push((key, value.clone()));
                break;
            }
            let Ok(parent) = at.get(b"Parent").and_then(Object::as_reference) else { break };
            at = document.get_dictionary(parent).map_err(broken)?;
        }
    }
    let own = document.get_object_mut(page).and_then(Object::as_dict_mut).map_err(broken)?;
    for (key, value) in found {
        own.set(key, value);
    }
    own.remove(b"StructParents");
    own.set("Parent", root);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Section, Sheet};
    use super::*;

    fn sheet(title: &str, rows: usize) -> Vec<u8> {
        let rows = (0..rows).map(|n| (n.to_string(), "value".to_string())).collect();
        Sheet { title: title.into(), lead: String::new(), sections: vec![Section { heading: "H".into(), rows }] }.pdf()
    }

    #[test]
    fn pages_follow_each_other_and_the_same_parts_give_the_same_bytes() {
        let parts = [sheet("one", 3), sheet("two", 200), sheet("three", 1)];
        let (bytes, counts) = merge(&parts).expect("joined");
        assert_eq!((counts[0], counts[2]), (1, 1));
        assert!(counts[1] > 1);
        let joined = Document::load_mem(&bytes).expect("a PDF");
        assert_eq!(joined.get_pages().len() as u32, counts.iter().sum::<u32>());
        assert_eq!(merge(&parts).expect("joined").0, bytes);
        assert!(merge(&[b"no PDF".to_vec()]).is_err());
    }
}
