//! Every word of the pages in both languages.

use std::sync::OnceLock;

use minijinja::Value;

/// A language of the pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// BCP 47 tag.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// The one to switch to.
    pub fn other(self) -> Language {
        match self {
            Language::English => Language::Chinese,
            Language::Chinese => Language::English,
        }
    }

    /// The language of a tag, when we have it.
    pub fn parse(tag: &str) -> Option<Language> {
        match tag.get(..2)?.to_ascii_lowercase().as_str() {
            "en" => Some(Language::English),
            "zh" => Some(Language::Chinese),
            _ => None,
        }
    }

    /// The best of an `Accept-Language` list.
    pub fn accepted(header: &str) -> Language {
        let mut best = (0.0_f32, Language::English);
        for part in header.split(',') {
            let (tag, quality) = part.split_once(';').unwrap_or((part, "q=1"));
            let quality = quality.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).unwrap_or(0.0);
            if let Some(language) = Language::parse(tag.trim())
                && quality > best.0
            {
                best = (quality, language);
            }
        }
        best.1
    }

    /// All words by key.
    pub fn words(self) -> Value {
        static BOTH: OnceLock<[Value; 2]> = OnceLock::new();
        let both = BOTH.get_or_init(|| {
            [
                Value::from_pairs(WORDS.iter().map(|(key, english, _)| (*key, *english))),
                Value::from_pairs(WORDS.iter().map(|(key, _, chinese)| (*key, *chinese))),
            ]
        });
        match self {
            Language::English => both[0].clone(),
            Language::Chinese => both[1].clone(),
        }
    }

    /// One word.
    pub fn word(self, key: &str) -> &'static str {
        let row = WORDS.iter().find(|(k, _, _)| *k == key);
        row.map_or("", |(_, english, chinese)| if self == Language::English { english } else { chinese })
    }
}

/// Key, English, Chinese.
const WORDS: &[(&str, &str, &str)] = &[
    ("account", "Account", "账号"),
    ("address", "From", "来源地址"),
    ("admin", "Administration", "管理"),
    ("all", "All", "全部"),
    ("all_documents", "All documents", "全部文档"),
    ("amount", "Amount", "金额"),
    ("audit", "Audit trail", "审计记录"),
    ("back", "Back to the list", "返回列表"),
    ("best", "Best match", "最相关"),
    ("bytes", "Bytes", "字节"),
    ("captured", "Captured", "接收时间"),
    ("date", "Date", "日期"),
    ("definition", "Report", "报表"),
    ("document", "Document", "文档"),
    ("documents", "Documents", "文档"),
    ("documents_found", "documents", "份文档"),
    ("download", "Download", "下载"),
    ("facet_definition", "Report", "报表"),
    ("facet_kind", "Kind", "类型"),
    ("facet_year", "Year", "年份"),
    ("failed", "failed", "失败"),
    ("fields", "Details", "详细信息"),
    ("file", "File", "文件"),
    ("filters", "Filters", "筛选"),
    ("find", "Find in document", "在文档中查找"),
    ("find_placeholder", "Words to mark", "要标记的词"),
    ("first_page", "First page", "首页"),
    ("from_day", "From", "起始日期"),
    ("go", "Go", "前往"),
    ("home", "Home", "首页"),
    ("keys_hint", "/ search, ↑ ↓ move, Enter open", "/ 搜索，↑ ↓ 移动，Enter 打开"),
    ("kind", "Kind", "类型"),
    ("load", "Load", "装载"),
    ("loads", "Loads", "装载记录"),
    ("more", "Next page", "下一页"),
    ("my_documents", "My documents", "我的文档"),
    (
        "my_hint",
        "Your bills, statements and letters, exactly as they were sent.",
        "您的账单、对账单和信函，与寄出时完全一致。",
    ),
    ("name", "User name", "用户名"),
    ("newest", "Newest first", "最新优先"),
    ("next", "Next", "下一页"),
    ("no_loads", "Nothing was loaded yet.", "尚无装载记录。"),
    ("nothing", "Nothing was found.", "没有找到任何文档。"),
    (
        "nothing_hint",
        "Check the spelling, try fewer words, or take a filter away.",
        "请检查拼写，减少词语，或取消筛选条件。",
    ),
    ("oldest", "Oldest first", "最早优先"),
    ("open", "Open", "打开"),
    ("open_pdf", "Open as PDF", "以 PDF 打开"),
    ("original", "Original", "原始数据"),
    ("page", "Page", "页"),
    ("page_of", "of", "/"),
    ("page_picture", "Picture of page", "页面图像，第"),
    ("pages", "Pages", "页数"),
    ("pages_counted", "pages", "页"),
    ("pages_one", "page", "页"),
    ("password", "Password", "密码"),
    ("previous", "Previous", "上一页"),
    ("problem_bad_parameter", "Something in the address is not allowed", "地址中有不允许的内容"),
    ("problem_bad_query", "The search cannot be understood", "无法理解该搜索条件"),
    ("problem_busy", "The server is busy", "服务器繁忙"),
    ("problem_csrf", "The page is too old; go back, reload it and try again", "页面已过期，请返回并刷新后重试"),
    ("problem_forbidden", "This is not for your role", "您的角色无权访问"),
    ("problem_internal", "The server failed", "服务器出错"),
    ("problem_not_found", "There is nothing here", "这里没有内容"),
    ("report", "Report", "报表"),
    ("search", "Search", "搜索"),
    ("search_placeholder", "Words, account:4711, amount:>100", "词语、account:4711、amount:>100"),
    ("search_my_placeholder", "Search in my documents", "在我的文档中搜索"),
    ("set_aside", "Set aside", "未归档页"),
    ("show", "Show", "显示"),
    ("sign_in", "Sign in", "登录"),
    ("sign_in_failed", "Name or password is wrong.", "用户名或密码错误。"),
    ("sign_in_hint", "See every bill and statement as it was printed.", "查看每一份账单和对账单的原貌。"),
    ("sign_in_wait", "Too many attempts. Try again in a little while.", "尝试次数过多，请稍后再试。"),
    ("sign_out", "Sign out", "退出"),
    ("skip", "Skip to content", "跳到内容"),
    ("sort", "Order", "排序"),
    ("state", "State", "状态"),
    ("stored", "Stored", "已存储"),
    ("tab_html", "Reading view", "阅读视图"),
    ("tab_pages", "Pages", "页面"),
    ("tab_pdf", "PDF", "PDF"),
    ("tab_text", "Text", "文本"),
    ("time", "Time", "时间"),
    ("title", "Title", "标题"),
    ("to_day", "To", "截止日期"),
    ("today", "Start", "开始"),
    ("version", "Version", "版本"),
    ("views", "Views", "视图"),
    ("warnings", "Warnings", "警告"),
    ("what", "What", "对象"),
    ("who", "Who", "用户"),
    ("why", "What for", "用途"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_chooses_among_our_languages() {
        assert_eq!(Language::accepted("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese);
        assert_eq!(Language::accepted("de,fr;q=0.9,zh;q=0.1,en;q=0.2"), Language::English);
        assert_eq!(Language::accepted("de"), Language::English);
        assert_eq!(Language::accepted(";;q=x,,zh;q=abc"), Language::English);
    }

    #[test]
    fn every_word_is_there_once_and_in_both_languages() {
        for (at, (key, english, chinese)) in WORDS.iter().enumerate() {
            assert!(!english.is_empty() && !chinese.is_empty(), "{key}");
            assert!(WORDS.iter().skip(at + 1).all(|(other, _, _)| other != key), "{key} is there twice");
        }
    }
}
