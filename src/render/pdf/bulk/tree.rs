//! The page tree and the bookmarks, written while pages go by.

use crate::render::RenderError;
use crate::render::pdf::file::{Id, PdfFile};
use crate::render::pdf::meta;

/// Children of one node of the page tree.
const FAN: usize = 100;

/// The page tree: one open node on each level.
pub struct PageTree {
    levels: Vec<Level>,
}

struct Level {
    node: Id,
    kids: Vec<Id>,
    pages: u64,
}

impl PageTree {
    /// An empty tree.
    pub fn start(file: &mut PdfFile<'_>) -> PageTree {
        let first = Level { node: file.reserve(), kids: Vec::new(), pages: 0 };
        PageTree { levels: vec![first] }
    }

    /// The node that the next page belongs to.
    pub fn parent(&self) -> Id {
        self.levels.first().map_or(Id(0), |level| level.node)
    }

    /// Adds a page that names [`PageTree::parent`] as its parent.
    pub fn add(&mut self, page: Id, file: &mut PdfFile<'_>) -> Result<(), RenderError> {
        self.put(0, page, 1, file)
    }

    /// Writes what is open; returns the root.
    pub fn finish(mut self, file: &mut PdfFile<'_>) -> Result<Id, RenderError> {
        let mut at = 0;
        while at + 1 < self.levels.len() {
            if self.levels.get(at).is_some_and(|level| !level.kids.is_empty()) {
                self.close(at, file)?;
            }
            at += 1;
        }
        let Some(root) = self.levels.pop() else { return Ok(Id(0)) };
        file.small(root.node, node(&root, None).as_bytes())?;
        Ok(root.node)
    }

    fn put(&mut self, at: usize, kid: Id, pages: u64, file: &mut PdfFile<'_>) -> Result<(), RenderError> {
        let Some(level) = self.levels.get_mut(at) else { return Ok(()) };
        level.kids.push(kid);
        level.pages += pages;
        if level.kids.len() >= FAN { self.close(at, file) } else { Ok(()) }
    }

    fn close(&mut self, at: usize, file: &mut PdfFile<'_>) -> Result<(), RenderError> {
        if at + 1 == self.levels.len() {
            self.levels.push(Level { node: file.reserve(), kids: Vec::new(), pages: 0 });
        }
        let parent = self.levels.get(at + 1).map(|level| level.node);
        let next = Level { node: file.reserve(), kids: Vec::new(), pages: 0 };
        let Some(level) = self.levels.get_mut(at) else { return Ok(()) };
        let done = std::mem::replace(level, next);
        file.small(done.node, node(&done, parent).as_bytes())?;
        self.put(at + 1, done.node, done.pages, file)
    }
}

fn node(level: &Level, parent: Option<Id>) -> String {
    let kids: Vec<String> = level.kids.iter().map(Id::to_string).collect();
    let parent = parent.map(|id| format!("/Parent {id}")).unwrap_or_default();
    format!("<</Type/Pages/Count {}{parent}/Kids[{}]>>", level.pages, kids.join(" "))
}

/// Bookmarks: one for each document, below it one for each page when asked for.
pub struct Outline {
    root: Id,
    documents: Siblings,
    pages: Siblings,
    page_number: u64,
}

/// Items of one level: the latest one waits until its neighbour is known.
#[derive(Default)]
struct Siblings {
    first: Option<Id>,
    count: u64,
    waiting: Option<Item>,
    previous: Option<Id>,
}

struct Item {
    id: Id,
    title: String,
    page: Id,
    children: Option<(Id, Id, u64)>,
}

impl Outline {
    /// An empty outline.
    pub fn start(file: &mut PdfFile<'_>) -> Outline {
        Outline { root: file.reserve(), documents: Siblings::default(), pages: Siblings::default(), page_number: 0 }
    }

    /// A document starts at `page`.
    pub fn begin_document(&mut self, title: String, page: Id, file: &mut PdfFile<'_>) -> Result<(), RenderError> {
        self.page_number = 0;
        let root = self.root;
        self.documents.add(title, page, root, file)
    }

    /// A page of the current document.
    pub fn page(&mut self, page: Id, file: &mut PdfFile<'_>) -> Result<(), RenderError> {
        self.page_number += 1;
        let Some(parent) = self.documents.waiting.as_ref().map(|item| item.id) else { return Ok(()) };
        self.pages.add(format!("Page {}", self.page_number), page, parent, file)
    }

    /// The current document, if any, is complete.
    pub fn end_document(&mut self, file: &mut PdfFile<'_>) -> Result<(), RenderError> {
        let Some(document) = &mut self.documents.waiting else { return Ok(()) };
        let pages = std::mem::take(&mut self.pages);
        document.children = pages.close(document.id, file)?;
        Ok(())
    }

    /// Writes the end; returns the root when there are bookmarks at all.
    pub fn finish(mut self, file: &mut PdfFile<'_>) -> Result<Option<Id>, RenderError> {
        self.end_document(file)?;
        let Some((first, last, count)) = self.documents.close(self.root, file)? else { return Ok(None) };
        let body = format!("<</Type/Outlines/First {first}/Last {last}/Count {count}>>");
        file.small(self.root, body.as_bytes())?;
        Ok(Some(self.root))
    }
}

impl Siblings {
    fn add(&mut self, title: String, page: Id, parent: Id, file: &mut PdfFile<'_>) -> Result<(), RenderError> {
        let id = file.reserve();
        self.first.get_or_insert(id);
        self.count += 1;
        if let Some(done) = self.waiting.replace(Item { id, title, page, children: None }) {
            let done_id = done.id;
            file.small(done_id, item(&done, parent, self.previous, Some(id)).as_bytes())?;
            self.previous = Some(done_id);
        }
        Ok(())
    }

    /// Writes the last item; returns first, last and count.
    fn close(mut self, parent: Id, file: &mut PdfFile<'_>) -> Result<Option<(Id, Id, u64)>, RenderError> {
        let (Some(first), Some(last)) = (self.first, self.waiting.take()) else { return Ok(None) };
        file.small(last.id, item(&last, parent, self.previous, None).as_bytes())?;
        Ok(Some((first, last.id, self.count)))
    }
}

fn item(item: &Item, parent: Id, previous: Option<Id>, next: Option<Id>) -> String {
    let link = |name: &str, id: Option<Id>| id.map(|id| format!("/{name} {id}")).unwrap_or_default();
    // A negative count: the children are folded away.
    let children = item
        .children
        .map(|(first, last, count)| format!("/First {first}/Last {last}/Count -{count}"))
        .unwrap_or_default();
    format!(
        "<</Title{}/Parent {parent}{}{}/Dest[{}/Fit]{children}>>",
        meta::text_string(&item.title),
        link("Prev", previous),
        link("Next", next),
        item.page,
    )
}
