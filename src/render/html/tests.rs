use crate::page::{Color, Element};
use crate::render::{FieldText, RenderOptions, sample};

fn html(pages: Vec<crate::page::Page>, how: &RenderOptions) -> String {
    String::from_utf8(sample::render("html", &sample::info(), pages, how).0).expect("UTF-8")
}

fn pre(html: &str) -> &str {
    let start = html.find("<pre>").expect("a page") + 5;
    &html[start..start + html[start..].find("</pre>").expect("its end")]
}

#[test]
fn the_printed_rows_stay_rows_and_chinese_stays_two_cells_wide() {
    let page = sample::page(&["A   1", "", "\u{8D26}b"]);
    assert_eq!(pre(&html(vec![page], &RenderOptions::default())), "A   1\n\n<span>\u{8D26}</span>b");
}

#[test]
fn bold_underline_and_colour_become_markup() {
    let mut page = sample::page(&["one", "two", "six"]);
    for (number, element) in page.elements.iter_mut().enumerate() {
        let Element::Text(run) = element else { continue };
        run.face.bold = number == 0;
        run.underline = number == 1;
        run.color = if number == 2 { Color { r: 200, g: 0, b: 0 } } else { Color::BLACK };
    }
    let html = html(vec![page], &RenderOptions::default());
    assert_eq!(pre(&html), "<b>one</b>\n<u>two</u>\n<span class=\"red\">six</span>");
}

/// Wide characters are boxes of two cells, and boxes in a line take no underline from what they are in.
#[test]
fn wide_characters_are_underlined_themselves() {
    let mut page = sample::page(&["one", "\u{9879}\u{76EE}"]);
    for (number, element) in page.elements.iter_mut().enumerate() {
        let Element::Text(run) = element else { continue };
        run.underline = number == 1;
    }
    let html = html(vec![page], &RenderOptions::default());
    assert_eq!(pre(&html), "one\n<u><span>\u{9879}</span><span>\u{76EE}</span></u>");
    assert!(html.contains("pre u span:not([class]){text-decoration:underline}"));
}

#[test]
fn words_are_highlighted_in_any_case() {
    let how =
        RenderOptions { highlight: vec!["Fee".into(), "\u{8D26}".into(), String::new()], ..RenderOptions::default() };
    let html = html(vec![sample::page(&["LATE FEE 12", "\u{8D26}"])], &how);
    assert_eq!(pre(&html), "LATE <mark>FEE</mark> 12\n<mark><span>\u{8D26}</span></mark>");
}

#[test]
fn nothing_from_a_document_becomes_markup() {
    let hostile = "<script>alert('x')</script>&\"\u{202E}\u{1}";
    let mut info = sample::info();
    info.title = hostile.into();
    info.author = hostile.into();
    info.language = "\"><script>".into();
    for written in ["", hostile] {
        let (name, label, value) = (hostile.into(), hostile.into(), hostile.into());
        info.fields.push(FieldText { name, label, value, written: written.into(), data: hostile.into() });
    }
    let table = info.table.as_mut().expect("a table");
    table.columns[0] = hostile.into();
    table.rows[0][0] = hostile.into();
    let (bytes, _) = sample::render("html", &info, vec![sample::page(&[hostile])], &RenderOptions::default());
    let html = String::from_utf8(bytes).expect("UTF-8");
    assert!(
        !html.contains("<script") && !html.contains("style=") && !html.contains('\u{202E}') && !html.contains('\u{1}')
    );
}

#[test]
fn values_are_written_for_readers_and_the_head_has_no_words_of_the_archive() {
    let english = html(vec![sample::statement(1)], &RenderOptions::default());
    assert!(english.contains("<dd>-4,629.11</dd>") && english.contains(">1 Mar 2024</td>"), "{english}");
    assert!(english.contains("<p class=\"by\">First Cascade Bank · 31 Mar 2024</p>"), "{english}");
    assert!(!english.contains("7-123"));
    let info = crate::render::DocumentInfo { language: "zh-CN".into(), ..sample::info() };
    let (bytes, _) = sample::render("html", &info, vec![sample::statement(1)], &RenderOptions::default());
    let chinese = String::from_utf8(bytes).expect("UTF-8");
    assert!(chinese.contains(">2024年3月1日</td>") && chinese.contains(" · 2024年3月31日</p>"), "{chinese}");
}

#[test]
fn the_page_is_whole_in_itself() {
    let html = html(vec![sample::statement(1), sample::statement(2)], &RenderOptions::default());
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("@page{size:1062.00pt 792.00pt") && html.contains("id=\"page-2\""));
    assert!(
        html.contains("<dt>Account</dt><dd>8618-2565-747469</dd>")
            && html.contains("<td class=\"n\" data-label=\"amount\">-466.47</td>")
    );
    assert!(html.contains("<th scope=\"col\">text</th><th scope=\"col\" class=\"n\">amount</th>"));
}

#[test]
fn a_page_with_graphics_is_drawn_with_real_text_in_reading_order() {
    let html = html(vec![sample::everything(), sample::page(&["plain"])], &RenderOptions::default());
    assert!(html.contains("<svg class=\"sheet\" viewBox=\"0 0 612 792\"") && html.contains("<pre>plain</pre>"));
    let places: Vec<_> = ["Quarterly Statement", "Opening balance", "1,204.50", ">Fee<", "Amount due", "turned"]
        .iter()
        // The last one: what something lies over stands among what is drawn as well.
        .map(|words| html.rfind(words).unwrap_or_else(|| panic!("{words}")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(html.contains("aria-label=\"Code 128 A-4711 (x)\"") && html.contains("aria-label=\"A grey square\""));
    assert!(!html.contains("style=") && !html.contains("<script") && !html.contains("http"));
    assert_eq!(html.matches("data:image/jpeg").count(), 2, "each picture once, grey and colour");
    assert_eq!(html.matches("@font-face").count(), 2);
}

#[test]
fn words_on_drawn_pages_are_highlighted() {
    let how = RenderOptions { highlight: vec!["opening bal".into(), "DUE".into()], ..RenderOptions::default() };
    let html = html(vec![sample::everything()], &how);
    assert_eq!(html.matches("class=\"mark\"").count(), 3, "once in the table, and on both overlays");
}

/// A page of one line of text, with this painted after it.
fn painted_over(over: crate::page::Element) -> String {
    let mut page = sample::page(&["hidden words"]);
    page.elements.push(over);
    html(vec![page], &RenderOptions::default())
}

#[test]
fn what_is_painted_over_text_lies_over_it_and_the_text_stays_readable() {
    use crate::page::{Color, Element, Lu, Rule};
    let whole = Lu(14_400 * 20);
    let gray = Color { r: 99, g: 99, b: 99 };
    let rule = Rule { x: Lu(0), y: Lu(0), width: whole, height: whole, color: gray, decoration: false };
    let html = painted_over(Element::Rule(rule));
    let places: Vec<_> = html.match_indices("hidden words").map(|(at, _)| at).collect();
    let over = html.find("#636363").expect("the rule");
    assert!(places.len() == 2 && places[0] < over && over < places[1], "{places:?} {over}");
    assert_eq!(html.matches("fill-opacity=\"0\"").count(), 1, "read, and seen once");
    assert!(html[places[0] - 300..places[0]].contains("aria-hidden=\"true\""));
    // What is as dark as the text, or beside it, hides nothing.
    for rule in [Rule { color: Color::BLACK, ..rule }, Rule { x: Lu(14_400 * 10), width: Lu(3), ..rule }] {
        assert_eq!(painted_over(Element::Rule(rule)).matches("hidden words").count(), 1);
    }
}

/// The document's HTML when it is on this paper.
fn on_paper(paper: crate::index::definition::Paper, page: crate::page::Page) -> String {
    let info = crate::render::DocumentInfo { paper, ..sample::info() };
    String::from_utf8(sample::render("html", &info, vec![page.clone(), page], &RenderOptions::default()).0)
        .expect("UTF-8")
}

#[test]
fn what_is_struck_over_is_seen_and_cannot_be_read() {
    let mut page = sample::page(&["name", "WWWWWW"]);
    for element in &mut page.elements {
        let Element::Text(run) = element else { continue };
        run.shadow = run.line == 2;
    }
    let html = html(vec![page], &RenderOptions::default());
    assert!(html.contains("<path d=") && html.contains(">name<") && !html.contains("WWWWWW"));
}

#[test]
fn a_form_lies_under_the_text_and_stands_once_in_the_file() {
    let form = |name: &str| crate::index::definition::Paper { form: Some(name.into()), green_bars: false };
    let html = on_paper(form("telecom-bill"), sample::page(&["text"]));
    assert_eq!((html.matches("<g id=\"o0\"").count(), html.matches("<use href=\"#o0\"").count()), (1, 2));
    assert!(html.contains("class=\"page paper rows\"") && html.matches(">text</tspan>").count() == 2);
    let without = on_paper(form("no-such-form"), sample::page(&["text"]));
    assert!(without.contains("<pre>text</pre>"), "shown without it");
}

#[test]
fn bars_begin_where_they_do_on_paper() {
    use crate::render::form::{Bars, Shape, Step, green_bars};
    for blank in 0..8 {
        let rows: Vec<&str> = std::iter::repeat_n("", blank).chain(["A", "B"]).collect();
        let page = sample::page(&rows);
        let grid = crate::page::grid::Grid::of(&page);
        let bars = Bars::of(&page);
        let html = on_paper(crate::index::definition::Paper { form: None, green_bars: true }, page);
        let stops =
            html.split("linear-gradient(to bottom,").nth(1).expect("bars").split(");print").next().expect("its end");
        // The first stop that is a bar, in rows of the grid.
        let stop = stops.split(",var(--bar) ").nth(1).or_else(|| stops.strip_prefix("var(--bar) ")).expect("a bar");
        let from: i32 = stop.split(' ').next().expect("its start").trim_end_matches("lh").parse().expect("rows");
        let row_one = grid.top.0 - bars.below();
        let starts = green_bars(bars).shapes.into_iter().filter_map(|shape| match shape {
            Shape::Path { steps, stroke: None, .. } => match steps.first() {
                Some(Step::Move([_, y])) => Some(y.0 - row_one),
                _ => None,
            },
            _ => None,
        });
        let wanted = from * bars.pitch.0;
        let fits = |start: i32| (start - wanted).rem_euclid(6 * bars.pitch.0) <= 60;
        assert!(starts.into_iter().any(|start| fits(start) || fits(start + 60)), "{blank}: {stops}");
    }
}

#[test]
fn a_chinese_document_is_chinese_around_its_text_and_lines_say_what_their_values_are() {
    let mut info = sample::info();
    info.language = "zh-CN".into();
    info.table.as_mut().expect("a table").labels = vec!["日期".into(), "摘要".into(), "金额".into()];
    let (bytes, _) = sample::render("html", &info, vec![sample::page(&["x"])], &RenderOptions::default());
    let html = String::from_utf8(bytes).expect("UTF-8");
    assert!(html.contains("<th scope=\"col\" class=\"n\">金额</th>"), "{html}");
    assert!(
        html.contains("<td class=\"n\" data-label=\"金额\">12.00</td>") && html.contains("content:attr(data-label)")
    );
    assert!(html.contains("First Cascade Bank · 2024年3月31日</p>"), "{html}");
}

#[test]
fn letters_that_browsers_order_and_join_are_drawn_as_they_stand_and_read_as_they_are_written() {
    let font = crate::page::sample::font();
    let mut run = crate::page::sample::own(&font, "AB", (72.0, 72.0), 12.0);
    let glyphs: Vec<u16> = {
        use skrifa::MetadataProvider;
        let map = skrifa::FontRef::new(font.bytes()).expect("a font").charmap();
        "AB".chars().map(|c| map.map(c).expect("a glyph").to_u32() as u16).collect()
    };
    // Hebrew from left to right, as it is seen.
    run.text = "\u{5D1}\u{5D0}".into();
    if let Some(own) = &mut run.embedded {
        own.glyphs = glyphs;
    }
    let page = crate::page::Page {
        width: crate::page::Lu(122_400),
        height: crate::page::Lu(158_400),
        elements: vec![Element::Text(run)],
    };
    let html = html(vec![page], &RenderOptions::default());
    assert!(html.contains("\u{E000}") && html.contains("\u{E001}"), "drawn by characters of private use");
    assert!(html.contains("\u{5D0}\u{5D1}") && !html.contains("\u{5D1}\u{5D0}"), "read in the order of reading");
}
