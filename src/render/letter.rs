//! The letter that tells a customer the PIN for the portal.
//!
//! Greenbar composes it itself; it is no archived rendition. The address stands where a window envelope (DIN long, ISO 269
//! DL) shows it. Latin letters are set in the standard Helvetica of PDF; a text with other characters needs a font of this
//! machine, and without one there is no letter, rather than one that cannot be read.

use printpdf::{
    BuiltinFont, Color, Mm, Op, ParsedFont, PdfDocument, PdfFontHandle, PdfPage, PdfSaveOptions, Point, Pt, Rgb,
    TextItem,
};

use crate::fontfile;

/// A letter with a PIN.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// Who writes; empty: nobody is named.
    pub sender: String,
    /// Whom to.
    pub name: String,
    /// Where to, line by line.
    pub address: Vec<String>,
    /// The account.
    pub account: String,
    /// The PIN.
    pub pin: String,
    /// The last day of the PIN, ISO 8601.
    pub until: String,
    /// Address of the portal; empty: not named.
    pub portal: String,
    /// The day of the letter, ISO 8601.
    pub date: String,
    /// In Chinese.
    pub chinese: bool,
}

/// There is no font for the letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the letter has characters for which this machine has no font; install one, or name a folder with it in {}",
    fontfile::FONT_DIR
)]
pub struct NoFont;

/// ISO A4, in points.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
/// Left edge of the text and of the envelope's window.
const LEFT: f32 = 62.0;
/// Upper edge of the window: 45 mm from the top, and some room.
const WINDOW: f32 = HEIGHT - 145.0;
/// Where the text begins: under the fold.
const TEXT: f32 = HEIGHT - 320.0;
/// From one line to the next.
const LEADING: f32 = 16.0;
/// Fonts with Chinese characters, the ones with outlines that every reader takes first.
const FONTS: [&str; 3] = ["cjk.ttf", "wqy-microhei.ttc", "NotoSansCJK-Regular.ttc"];
/// Lines of an address that the window shows.
const MOST_LINES: usize = 7;

impl Letter {
    /// The letter as PDF.
    pub fn pdf(&self) -> Result<Vec<u8>, NoFont> {
        let mut document = PdfDocument::new(if self.chinese { "密码函" } else { "PIN letter" });
        let mut texts = vec![self.sender.as_str(), &self.name, &self.portal];
        texts.extend(self.address.iter().map(String::as_str));
        let plain = !self.chinese && texts.iter().all(|text| text.chars().all(|c| (' '..='\u{ff}').contains(&c)));
        let font = if plain {
            [PdfFontHandle::Builtin(BuiltinFont::Helvetica), PdfFontHandle::Builtin(BuiltinFont::HelveticaBold)]
        } else {
            let font = document.add_font(&font().ok_or(NoFont)?);
            [PdfFontHandle::External(font.clone()), PdfFontHandle::External(font)]
        };
        let mut sheet = Sheet { ops: Vec::new(), font };
        self.write(&mut sheet);
        document.with_pages(vec![PdfPage::new(Mm::from(Pt(WIDTH)), Mm::from(Pt(HEIGHT)), sheet.ops)]);
        Ok(document.save(&PdfSaveOptions::default(), &mut Vec::new()))
    }

    fn write(&self, sheet: &mut Sheet) {
        sheet.text(LEFT, WINDOW + 14.0, 7.0, false, &self.sender);
        let lines = std::iter::once(&self.name).chain(&self.address).take(MOST_LINES);
        for (line, y) in lines.zip((0_u8..).map(|n| WINDOW - f32::from(n) * 14.0)) {
            sheet.text(LEFT, y, 11.0, false, line);
        }
        sheet.text(WIDTH - LEFT - 80.0, TEXT + 40.0, 10.0, false, &self.date);
        let mut y = TEXT;
        let mut line = |size: f32, bold: bool, text: &str| {
            sheet.text(LEFT, y, size, bold, text);
            y -= LEADING;
        };
        let (account, until, portal) = (&self.account, &self.until, &self.portal);
        if self.chinese {
            line(14.0, true, "您的网上账单密码");
            line(11.0, false, "");
            line(11.0, false, &format!("账户：{account}"));
            line(11.0, false, "请用下面的密码为此账户开通网上账单服务。");
            line(11.0, false, &format!("密码只能使用一次，有效期至 {until}。"));
            if !portal.is_empty() {
                line(11.0, false, &format!("网址：{portal}"));
            }
        } else {
            line(14.0, true, "Your PIN for the customer portal");
            line(11.0, false, "");
            line(11.0, false, &format!("Account: {account}"));
            line(11.0, false, "With this PIN you can open the documents of the account on the internet.");
            line(11.0, false, &format!("It works once, until {until}."));
            if !portal.is_empty() {
                line(11.0, false, &format!("Address: {portal}"));
            }
        }
        line(11.0, false, "");
        line(11.0, false, "");
        let spaced: Vec<String> =
            self.pin.as_bytes().chunks(5).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        line(20.0, true, &spaced.join("  "));
        line(11.0, false, "");
        line(11.0, false, "");
        let (first, second) = if self.chinese {
            ("请勿将密码告诉任何人，我们的员工也不会向您索取。", "如果您没有申请，请将此函销毁：密码到期后自动失效。")
        } else {
            (
                "Tell nobody this PIN. Nobody of ours will ask you for it.",
                "If you did not ask for it, destroy this letter: the PIN ends by itself.",
            )
        };
        line(9.0, false, first);
        line(9.0, false, second);
    }
}

/// A sample in the form that documents come in, with the code that shows it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The code.
    pub code: String,
    /// In Chinese; without a font for it, in English.
    pub chinese: bool,
}

impl Sample {
    /// The sample as PDF.
    pub fn pdf(&self) -> Vec<u8> {
        let font = if self.chinese { font() } else { None };
        let chinese = font.is_some();
        let mut document = PdfDocument::new(if chinese { "样本" } else { "Sample" });
        let font = match &font {
            Some(font) => {
                let font = document.add_font(font);
                [PdfFontHandle::External(font.clone()), PdfFontHandle::External(font)]
            }
            None => [BuiltinFont::Helvetica, BuiltinFont::HelveticaBold].map(PdfFontHandle::Builtin),
        };
        let mut sheet = Sheet { ops: Vec::new(), font };
        let (title, lines) = if chinese {
            ("电子文件样本", ["您能看到这一页，说明您能够打开电子文件。", "请在网页中输入以下代码："])
        } else {
            (
                "Sample of an electronic document",
                [
                    "You can read this page, so you can open documents that come electronically.",
                    "Type this code on the page that you came from:",
                ],
            )
        };
        sheet.text(LEFT, HEIGHT - 110.0, 16.0, true, title);
        for (line, y) in lines.iter().zip([150.0, 170.0]) {
            sheet.text(LEFT, HEIGHT - y, 11.0, false, line);
        }
        sheet.text(LEFT, HEIGHT - 225.0, 28.0, true, &self.code);
        document.with_pages(vec![PdfPage::new(Mm::from(Pt(WIDTH)), Mm::from(Pt(HEIGHT)), sheet.ops)]);
        document.save(&PdfSaveOptions::default(), &mut Vec::new())
    }
}

struct Sheet {
    ops: Vec<Op>,
    /// Plain and bold.
    font: [PdfFontHandle; 2],
}

impl Sheet {
    fn text(&mut self, x: f32, y: f32, size: f32, bold: bool, text: &str) {
        if text.is_empty() {
            return;
        }
        let [plain, strong] = &self.font;
        let font = if bold { strong.clone() } else { plain.clone() };
        self.ops.extend([
            Op::SetFillColor { col: Color::Rgb(Rgb { r: 0.1, g: 0.1, b: 0.1, icc_profile: None }) },
            Op::StartTextSection,
            Op::SetFont { font, size: Pt(size) },
            Op::SetTextCursor { pos: Point { x: Pt(x), y: Pt(y) } },
            Op::ShowText { items: vec![TextItem::Text(text.to_string())] },
            Op::EndTextSection,
        ]);
    }
}

/// A font of this machine with Chinese characters.
pub(super) fn font() -> Option<ParsedFont> {
    let folders = fontfile::system_folders();
    FONTS.iter().find_map(|name| {
        let bytes = fontfile::read(&fontfile::find(&folders, name)?)?;
        ParsedFont::from_bytes(&bytes, 0, &mut Vec::new())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            sender: "Great Lakes Mutual Bank, PO Box 1, Dayton OH".into(),
            name: "Ava Barnes".into(),
            address: vec!["10 Birch St".into(), "Dayton OH 45402".into()],
            account: "410000-1000-0".into(),
            pin: "ABCDE23456".into(),
            until: "2024-07-01".into(),
            portal: "https://bills.example.com/my".into(),
            date: "2024-06-01".into(),
            chinese: false,
        }
    }

    #[test]
    fn the_letter_tells_account_pin_and_last_day() {
        let document = lopdf::Document::load_mem(&letter().pdf().expect("a letter")).expect("a readable PDF");
        let text = document.extract_text(&[1]).expect("text");
        for told in ["Ava Barnes", "10 Birch St", "410000-1000-0", "ABCDE  23456", "2024-07-01", "bills.example.com"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert_eq!(document.get_pages().len(), 1);
    }

    #[test]
    fn a_sample_tells_its_code() {
        let sample = Sample { code: "K7M2QX".into(), chinese: false };
        let document = lopdf::Document::load_mem(&sample.pdf()).expect("a readable PDF");
        assert!(document.extract_text(&[1]).expect("text").contains("K7M2QX"));
    }

    #[test]
    fn a_chinese_letter_has_its_characters_or_is_refused() {
        let chinese = Letter { name: "周明怡".into(), chinese: true, ..letter() };
        match chinese.pdf() {
            Ok(pdf) => {
                let document = lopdf::Document::load_mem(&pdf).expect("a readable PDF");
                assert_eq!(document.get_pages().len(), 1);
            }
            Err(error) => assert!(error.to_string().contains("font")),
        }
    }
}
