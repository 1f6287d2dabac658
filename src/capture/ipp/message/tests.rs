use proptest::prelude::*;

use super::*;

/// A request of these attributes, written as a client does.
fn request(attributes: &[(u8, u8, &str, &[u8])]) -> Vec<u8> {
    let mut reply = Reply { bytes: vec![1, 1, 0, 2, 0, 0, 0, 7], status: Status::Ok };
    let mut group = 0;
    for (in_group, tag, name, value) in attributes {
        if group != *in_group {
            group = *in_group;
            reply.group(group);
        }
        reply.field(*tag, name, value);
    }
    reply.finish()
}

fn read_all(bytes: &[u8]) -> Result<Request, Malformed> {
    let mut head = Head::default();
    head.add(bytes)?.ok_or(Malformed::Short)?;
    head.request()
}

#[test]
fn a_request_is_read_however_it_is_cut_and_the_document_begins_behind_it() {
    let head = request(&[
        (OPERATION, CHARSET, "attributes-charset", b"utf-8"),
        (OPERATION, LANGUAGE, "attributes-natural-language", b"en"),
        (OPERATION, NAME_WITH_LANGUAGE, "job-name", b"\0\x02de\0\x05L\xC3\xA4uf"),
        (JOB, INTEGER, "copies", &[0, 0, 0, 3]),
        (JOB, KEYWORD, "sides", b"one-sided"),
        (JOB, KEYWORD, "", b"two-sided-long-edge"),
        (JOB, BEGIN_COLLECTION, "media-col", b""),
        (JOB, MEMBER, "", b"media-size"),
        (JOB, BEGIN_COLLECTION, "", b""),
        (JOB, MEMBER, "", b"x-dimension"),
        (JOB, INTEGER, "", &[0, 0, 82, 8]),
        (JOB, END_COLLECTION, "", b""),
        (JOB, END_COLLECTION, "", b""),
        (JOB, RANGE, "page-ranges", &[0, 0, 0, 1, 0, 0, 0, 4]),
    ]);
    let whole = [&head[..], b"\x03document"].concat();
    for size in 1..whole.len() {
        let (mut scan, mut seen) = (Head::default(), 0);
        for piece in whole.chunks(size) {
            if let Some(end) = scan.add(piece).expect("well-formed") {
                assert_eq!(seen + end, head.len(), "pieces of {size}");
                break;
            }
            seen += piece.len();
        }
        let request = scan.request().expect("well-formed");
        assert_eq!((request.version, request.operation, request.id), ((1, 1), 2, 7));
        assert_eq!(request.text("job-name"), Some("Läuf"));
        assert_eq!(request.integer("copies"), Some(3));
        assert_eq!(request.texts("sides"), ["one-sided", "two-sided-long-edge"]);
        assert_eq!(request.first("media-col"), Some(&Value::Collection(Vec::new())));
        assert_eq!(request.texts("page-ranges"), ["1-4"]);
        assert_eq!(request.attributes.len(), 7);
    }
}

#[test]
fn what_is_malformed_is_said() {
    let short = request(&[(OPERATION, INTEGER, "copies", &[0, 1])]);
    assert_eq!(read_all(&short), Err(Malformed::Attribute));
    let orphan = request(&[(OPERATION, KEYWORD, "", b"x")]);
    assert_eq!(read_all(&orphan), Err(Malformed::Attribute));
    let yes = request(&[(OPERATION, BOOLEAN, "last-document", b"")]);
    assert_eq!(read_all(&yes), Err(Malformed::Attribute));
    let many: Vec<_> = (0..=MOST_VALUES).map(|_| (OPERATION, KEYWORD, "a", &b"x"[..])).collect();
    assert_eq!(read_all(&request(&many)), Err(Malformed::TooMany));
    // A length that points behind everything: an end is never seen, and no more is kept than the limit.
    let mut head = Head::default();
    let endless = [&[1, 1, 0, 2, 0, 0, 0, 1, 1, 0x47][..], &[0xFF; 100_000]].concat();
    assert_eq!(head.add(&endless), Ok(None));
    assert_eq!(head.add(&endless), Err(Malformed::TooLong));
    assert!(head.bytes.len() <= MOST_HEAD);
}

#[test]
fn a_reply_is_read_back() {
    let to = Request { version: (2, 0), id: 9, ..Request::default() };
    let mut reply = Reply::new(&to, Status::NotFound, &"long ".repeat(400));
    reply.group(PRINTER);
    reply
        .add("media-col-default", &[Value::Collection(vec![("media-size", Value::Collection(vec![("x", 1.into())]))])]);
    reply.add("printer-resolution-default", &[Value::Dpi(600)]);
    reply.add("time-at-completed", &[Value::None]);
    reply.add("printer-info", &[Value::text("ä".repeat(2_000))]);
    let back = read_all(&reply.finish()).expect("well-formed");
    assert_eq!((back.version, back.operation, back.id), ((2, 0), Status::NotFound as u16, 9));
    assert_eq!(back.texts("printer-resolution-default"), ["600dpi"]);
    assert_eq!(back.text("printer-info").map(str::len), Some(1_022));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 1_usize..50) {
        let mut head = Head::default();
        for piece in bytes.chunks(cut) {
            if !matches!(head.add(piece), Ok(None)) {
                break;
            }
        }
        let _ = head.request();
    }
}
