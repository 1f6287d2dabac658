//! Templates to pages.

use std::borrow::Cow;
use std::sync::OnceLock;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

use super::{Language, coded, locale, reason, source};

/// Renders a template of `templates/web`.
pub fn render(name: &str, values: Value) -> Result<String, Error> {
    static COMPILED: OnceLock<Environment<'static>> = OnceLock::new();
    if source::folder().is_some() {
        let fresh: Vec<(&str, Cow<'_, str>)> =
            pages().filter_map(|(name, _)| Some((*name, source::text(name)?))).collect();
        return environment(fresh.iter().map(|(name, text)| (*name, text.as_ref())))?
            .get_template(name)?
            .render(values);
    }
    let compiled = COMPILED.get_or_init(|| {
        let pages = pages().map(|(name, text)| (*name, *text));
        environment(pages).expect("the templates are part of the program and tested")
    });
    compiled.get_template(name)?.render(values)
}

fn pages() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    source::FILES.iter().filter(|(name, _)| name.ends_with(".html"))
}

fn environment<'s>(pages: impl Iterator<Item = (&'s str, &'s str)>) -> Result<Environment<'s>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("coded", coded);
    environment.add_filter("count", |number: Value| locale::grouped(&number.to_string()));
    environment.add_filter("why", why);
    environment.add_function("say", say);
    for (name, text) in pages {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// `say("pages_counted", n=3)`: the words of a key with its places filled in. Numbers are grouped; for exactly one, the
/// words under the key with `_one` are taken when there are such.
fn say(state: &State<'_, '_>, key: String, places: Kwargs) -> Result<String, Error> {
    let words = state.lookup("t").unwrap_or_default();
    let word = |key: &str| words.get_attr(key).ok().and_then(|word| word.as_str().map(str::to_string));
    let names: Vec<String> = places.args().map(str::to_string).collect();
    let mut values = Vec::with_capacity(names.len());
    for name in &names {
        values.push((name.as_str(), places.get::<Value>(name)?));
    }
    let one = values.iter().any(|(name, value)| *name == "n" && value.to_string() == "1");
    let text = one.then(|| word(&format!("{key}_one"))).flatten().or_else(|| word(&key));
    let mut text = text.ok_or_else(|| Error::new(ErrorKind::UndefinedError, format!("there are no words {key}")))?;
    for (name, value) in values {
        let value = if value.is_number() { locale::grouped(&value.to_string()) } else { value.to_string() };
        text = text.replace(&format!("{{{name}}}"), &value);
    }
    Ok(text)
}

/// `{{ detail | why }}`: a sentence of the program in the page's language; marked where it is another one.
fn why(state: &State<'_, '_>, text: String) -> Value {
    let language =
        state.lookup("language").and_then(|code| code.as_str().and_then(Language::parse)).unwrap_or_default();
    let escaped = |text: &str| minijinja::HtmlEscape(text).to_string();
    Value::from_safe_string(match (reason::told(&text, language), language) {
        (Some(told), _) => escaped(&told),
        (None, Language::Chinese) if text.chars().any(|c| c.is_ascii_alphabetic()) => {
            format!("<span lang=\"en\">{}</span>", escaped(&text))
        }
        (None, _) => escaped(&text),
    })
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn made(template: &str, language: Language) -> String {
        let mut environment = environment(std::iter::empty()).expect("made");
        environment.add_template("page.html", template).expect("added");
        environment.get_template("page.html").expect("there").render(context! { t => language.words() }).expect("made")
    }

    #[test]
    fn words_are_filled_in_and_counted() {
        let page = "{{ say('pages_counted', n=1) }} {{ say('pages_counted', n=1234) }}";
        assert_eq!(made(page, Language::English), "1 page 1,234 pages");
        assert_eq!(made(page, Language::Chinese), "1 页 1,234 页");
        assert_eq!(made("{{ 1234567 | count }}", Language::English), "1,234,567");
    }

    #[test]
    fn what_is_filled_in_is_escaped() {
        let page = "{{ say('pages_counted', n='<b>') }}";
        assert_eq!(made(page, Language::English), "&lt;b&gt; pages");
    }
}
