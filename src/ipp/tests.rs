use proptest::prelude::*;

use super::*;

/// A request of these attributes, written as a client does.
fn request(attributes: &[(u8, u8, &str, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::bare([1, 1], 2, 7);
    let mut group = 0;
    for (in_group, tag, name, value) in attributes {
        if group != *in_group {
            group = *in_group;
            writer.group(group);
        }
        writer.field(*tag, name, value);
    }
    writer.finish()
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
        let request = scan.message().expect("well-formed");
        assert_eq!((request.version, request.code, request.id), ((1, 1), 2, 7));
        assert_eq!(request.text("job-name"), Some("Läuf"));
        assert_eq!(request.integer("copies"), Some(3));
        assert_eq!(request.texts("sides"), ["one-sided", "two-sided-long-edge"]);
        assert_eq!(request.first("media-col"), Some(&Value::Collection(Vec::new())));
        assert_eq!(request.texts("page-ranges"), ["1-4"]);
        assert_eq!(request.attributes.len(), 7);
    }
}

#[test]
fn groups_of_one_kind_are_told_apart() {
    let mut writer = Writer::bare([2, 1], 0x16, 1);
    writer.group(OPERATION);
    writer.add("printer-uri", &[Value::uri("ipp://h/")]);
    for events in [&["job-created"][..], &[], &["job-completed", "job-created"]] {
        writer.group(SUBSCRIPTION);
        writer.add("notify-events", &events.iter().map(|name| Value::keyword(*name)).collect::<Vec<_>>());
    }
    writer.add("notify-user-data", &[Value::Octets(vec![0, 255])]);
    let message = Message::read(&writer.finish()).expect("well-formed");
    let sizes: Vec<usize> = message.groups(SUBSCRIPTION).map(<[Attribute]>::len).collect();
    assert_eq!(sizes, [1, 0, 2]);
    assert_eq!(message.first("notify-user-data"), Some(&Value::Octets(vec![0, 255])));
    assert_eq!((message.group(SUBSCRIPTION).count(), message.groups(JOB).count()), (3, 0));
}

#[test]
fn what_is_malformed_is_said() {
    let short = request(&[(OPERATION, INTEGER, "copies", &[0, 1])]);
    assert_eq!(Message::read(&short), Err(Malformed::Attribute));
    let orphan = request(&[(OPERATION, KEYWORD, "", b"x")]);
    assert_eq!(Message::read(&orphan), Err(Malformed::Attribute));
    let yes = request(&[(OPERATION, BOOLEAN, "last-document", b"")]);
    assert_eq!(Message::read(&yes), Err(Malformed::Attribute));
    let many: Vec<_> = (0..=MOST_VALUES).map(|_| (OPERATION, KEYWORD, "a", &b"x"[..])).collect();
    assert_eq!(Message::read(&request(&many)), Err(Malformed::TooMany));
    // A length that points behind everything: an end is never seen, and no more is kept than the limit.
    let mut head = Head::default();
    let endless = [&[1, 1, 0, 2, 0, 0, 0, 1, 1, 0x47][..], &[0xFF; 100_000]].concat();
    assert_eq!(head.add(&endless), Ok(None));
    assert_eq!(head.add(&endless), Err(Malformed::TooLong));
    assert!(head.bytes.len() <= MOST_HEAD);
}

#[test]
fn what_is_written_is_read_back_and_a_cut_message_is_none() {
    let mut writer = Writer::new([2, 0], 0x0406, 9);
    writer.group(PRINTER);
    writer
        .add("media-col-default", &[Value::Collection(vec![("media-size", Value::Collection(vec![("x", 1.into())]))])]);
    writer.add("printer-resolution-default", &[Value::Dpi(600)]);
    writer.add("time-at-completed", &[Value::None]);
    writer.add("printer-info", &[Value::text("ä".repeat(2_000))]);
    writer.add("job-state", &[Value::Enum(9)]);
    let bytes = writer.finish();
    let back = Message::read(&bytes).expect("well-formed");
    assert_eq!((back.version, back.code, back.id), ((2, 0), 0x0406, 9));
    assert_eq!(back.texts("printer-resolution-default"), ["600dpi"]);
    assert_eq!(back.text("printer-info").map(str::len), Some(1_022));
    assert_eq!((back.integer("job-state"), back.number("job-state")), (None, Some(9)));
    for cut in 0..bytes.len() {
        assert_eq!(Message::read(&bytes[..cut]), Err(Malformed::Short), "{cut}");
    }
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
        let _ = head.message();
    }
}
