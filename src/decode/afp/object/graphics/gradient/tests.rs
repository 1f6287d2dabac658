use super::*;

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

fn points(all: &[i16]) -> Vec<u8> {
    all.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Colours from red to blue, what is outside, and stops.
fn colors(outside: [u8; 2], stops: &[(u16, [u8; 3])]) -> Vec<u8> {
    let mut data = vec![13, 0, 1, 0, 0, 0, 0, 8, 8, 8, 0];
    data.extend([RED, BLUE].concat());
    data.extend(outside);
    stops.iter().for_each(|(at, color)| data.extend([&at.to_be_bytes()[..], color].concat()));
    data
}

fn linear(outside: [u8; 2], stops: &[(u16, [u8; 3])]) -> Gradient {
    Gradient::linear(&[points(&[100, 0, 300, 0]), colors(outside, stops)].concat()).unwrap()
}

/// Of radius `from` around (0, 0) to radius `to` around (`x`, 0).
fn radial(outside: [u8; 2], from: u8, x: i16, to: u8) -> Gradient {
    let arcs = [points(&[0, 0]), vec![from, 0], points(&[x, 0]), vec![to, 0]].concat();
    Gradient::radial(&[arcs, colors(outside, &[])].concat(), [1.0, 1.0, 0.0, 0.0]).unwrap()
}

fn square(low: f64, high: f64) -> Vec<Vec<Point>> {
    vec![vec![[low, low], [high, low], [high, high], [low, high]]]
}

fn is_inside(polygon: &[Point], [x, y]: Point) -> bool {
    let mut inside = false;
    for (one, two) in polygon.iter().zip(polygon.iter().skip(1).chain(polygon.first())) {
        if (one[1] > y) != (two[1] > y) && x < one[0] + (y - one[1]) / (two[1] - one[1]) * (two[0] - one[0]) {
            inside = !inside;
        }
    }
    inside
}

/// What is seen at a point of the painted area: the band painted last.
fn seen(gradient: &Gradient, area: &[Vec<Point>], at: Point) -> Option<[u8; 3]> {
    let (bands, complete) = gradient.paint(area, &mut { MOST_CUTS });
    assert!(complete);
    let covers = |band: &&Band| band.polygons.iter().filter(|polygon| is_inside(polygon, at)).count() % 2 == 1;
    bands.iter().rev().find(covers).map(|band| [band.color.r, band.color.g, band.color.b])
}

fn assert_near(color: Option<[u8; 3]>, expected: [u8; 3]) {
    let color = color.expect("painted");
    assert!(color.iter().zip(expected).all(|(one, two)| one.abs_diff(two) <= 3), "{color:?}, not {expected:?}");
}

#[test]
fn colours_change_along_the_line_and_stay_inside_the_area() {
    let area = square(0.0, 400.0);
    let gradient = linear([1, 0], &[]);
    assert_near(seen(&gradient, &area, [101.0, 50.0]), RED);
    assert_near(seen(&gradient, &area, [200.0, 350.0]), [127, 0, 128]);
    assert_near(seen(&gradient, &area, [299.0, 50.0]), BLUE);
    // Padded before, nothing behind.
    assert_near(seen(&gradient, &area, [5.0, 50.0]), RED);
    assert_eq!(seen(&gradient, &area, [301.0, 50.0]), None);
    let (bands, _) = gradient.paint(&area, &mut { MOST_CUTS });
    let corners = bands.iter().flat_map(|band| band.polygons.iter().flatten());
    assert!(corners.flatten().all(|part| (0.0..=400.0).contains(part)));
    let other = linear([0, 1], &[]);
    assert_eq!(seen(&other, &area, [99.0, 50.0]), None);
    assert_near(seen(&other, &area, [399.0, 50.0]), BLUE);
}

#[test]
fn gradients_are_repeated_and_mirrored() {
    let area = square(-400.0, 800.0);
    let repeated = linear([2, 2], &[]);
    for x in [-260.0, 140.0, 340.0, 540.0] {
        assert_near(seen(&repeated, &area, [x, 0.5]), [204, 0, 51]);
    }
    let mirrored = linear([3, 3], &[]);
    assert_near(seen(&mirrored, &area, [340.0, 0.5]), [51, 0, 204]);
    assert_near(seen(&mirrored, &area, [60.0, 0.5]), [204, 0, 51]);
    assert_near(seen(&mirrored, &area, [540.0, 0.5]), [204, 0, 51]);
}

#[test]
fn stops_lie_between_and_two_at_one_place_are_an_edge() {
    let (green, black) = ([0, 255, 0], [0, 0, 0]);
    let gradient = linear([0, 0], &[(5_000, green), (5_000, black), (4_000, RED), (20_000, RED)]);
    assert_eq!(gradient.stops.len(), 4, "stops that go back or too far are ignored");
    let area = square(0.0, 400.0);
    assert_near(seen(&gradient, &area, [150.0, 50.0]), [127, 128, 0]);
    assert_near(seen(&gradient, &area, [199.5, 50.0]), green);
    assert_near(seen(&gradient, &area, [201.0, 50.0]), [0, 0, 2]);
}

#[test]
fn arcs_grow_or_shrink_and_leave_a_hole() {
    let area = square(-200.0, 200.0);
    let growing = radial([1, 1], 50, 0, 150);
    assert!(!growing.is_inexact);
    assert_near(seen(&growing, &area, [0.5, 0.5]), RED);
    assert_near(seen(&growing, &area, [100.0, 0.5]), [127, 0, 128]);
    assert_near(seen(&growing, &area, [199.0, 199.0]), BLUE);
    let bare = radial([0, 0], 50, 0, 150);
    assert_eq!(seen(&bare, &area, [0.5, 0.5]), None);
    assert_eq!(seen(&bare, &area, [160.0, 0.5]), None);
    assert_near(seen(&bare, &area, [100.0, 0.5]), [127, 0, 128]);
    let shrinking = radial([1, 0], 150, 0, 0);
    assert_near(seen(&shrinking, &area, [199.0, 0.5]), RED);
    assert_near(seen(&shrinking, &area, [75.0, 0.5]), [127, 0, 128]);
    let again = radial([0, 2], 0, 0, 50);
    assert_near(seen(&again, &area, [75.0, 0.5]), [127, 0, 128]);
    assert!(radial([0, 0], 50, 300, 60).is_inexact);
}

#[test]
fn gradients_without_extent_paint_nothing() {
    let area = square(0.0, 400.0);
    let point = Gradient::linear(&[points(&[5, 5, 5, 5]), colors([1, 1], &[])].concat()).unwrap();
    assert_eq!(point.paint(&area, &mut { MOST_CUTS }), (Vec::new(), true));
    assert_eq!(radial([1, 1], 7, 0, 7).paint(&area, &mut { MOST_CUTS }), (Vec::new(), true));
    assert_eq!(radial([1, 1], 0, 9, 0).paint(&area, &mut { MOST_CUTS }), (Vec::new(), true));
}

#[test]
fn cut_and_strange_data_is_no_gradient_and_large_ones_are_refused() {
    let whole = [points(&[0, 0, 9, 9]), colors([1, 1], &[])].concat();
    assert!((0..whole.len()).all(|length| Gradient::linear(&whole[..length]).is_none()));
    let mut named = whole.clone();
    named[10] = 0x40;
    assert!(Gradient::linear(&named).is_none(), "OCA colours");
    let many: Vec<_> = (0..2_000).map(|_| (1, RED)).collect();
    assert!(Gradient::linear(&[points(&[0, 0, 9, 9]), colors([1, 1], &many)].concat()).is_none());
    assert_eq!(linear([2, 2], &[]).middle(), Color { r: 128, g: 0, b: 128 });
    let corners = vec![(0..200_000).map(|x| [f64::from(x), f64::from(x % 7)]).collect()];
    assert!(!linear([2, 2], &[]).paint(&corners, &mut { MOST_CUTS }).1);
}

#[test]
fn what_a_line_parts_is_two_polygons() {
    // A U, open to the top; the line keeps what is above.
    let u = [[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [6.0, 9.0], [6.0, 3.0], [3.0, 3.0], [3.0, 9.0], [0.0, 9.0]];
    let above = Side { point: [0.0, 5.0], inwards: [0.0, 1.0] };
    let parts = above.cut(&u);
    assert_eq!(parts.len(), 2, "{parts:?}");
    for part in &parts {
        let wide = |at: usize| {
            part.iter().map(|corner| corner[at]).fold([9.0_f64, 0.0], |[low, high], x| [low.min(x), high.max(x)])
        };
        assert!((wide(0)[1] - wide(0)[0] - 3.0).abs() < 1e-9, "{part:?}");
        assert_eq!(wide(1), [5.0, 9.0]);
    }
    let below = Side { point: [0.0, 5.0], inwards: [0.0, -1.0] };
    assert_eq!(below.cut(&u).len(), 1, "below the two arms hang together");
    assert_eq!(Side { point: [0.0, -1.0], inwards: [0.0, 1.0] }.cut(&u), [u.to_vec()]);
    assert!(Side { point: [0.0, -1.0], inwards: [0.0, -1.0] }.cut(&u).is_empty());
}
