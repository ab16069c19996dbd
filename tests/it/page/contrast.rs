//! How well text stands out, as WCAG 2 reckons it.

/// A colour without transparency, a channel from 0 to 255 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// Out of `rgb(1, 2, 3)`.
    pub fn of(text: &str) -> Self {
        let inner = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')'));
        let inner = inner.unwrap_or_else(|| panic!("{text} is no opaque colour"));
        let channels: Vec<u8> = inner.split(", ").map(|channel| channel.parse().unwrap()).collect();
        Self(channels.try_into().unwrap())
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// From 1 (the same) to 21 (black on white).
pub fn contrast(one: Colour, other: Colour) -> f64 {
    let (a, b) = (one.luminance(), other.luminance());
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Every shown text of a page, with its ink and the first paper below it.
pub const TEXTS: &str = r#"(() => {
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const opaque = colour => colour !== "rgba(0, 0, 0, 0)";
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim(), holder = walker.currentNode.parentElement;
        if (!text || holder.closest("script,style,noscript,title,option") || !holder.getClientRects().length) continue;
        const drawn = holder.closest("svg g");
        if (drawn) {
            found.push([text, getComputedStyle(holder).fill, getComputedStyle(drawn.querySelector("rect")).fill]);
            continue;
        }
        let below = holder;
        while (below && !opaque(getComputedStyle(below).backgroundColor)) below = below.parentElement;
        found.push([text, getComputedStyle(holder).color, getComputedStyle(below || document.documentElement).backgroundColor]);
    }
    return found;
})()"#;

#[test]
fn contrast_is_reckoned_as_the_standard_has_it() {
    let of = |text| Colour::of(text);
    assert!((contrast(of("rgb(0, 0, 0)"), of("rgb(255, 255, 255)")) - 21.0).abs() < 1e-9);
    // The lightest grey that just passes on white, and the next that does not.
    assert!(contrast(of("rgb(118, 118, 118)"), of("rgb(255, 255, 255)")) >= 4.5);
    assert!(contrast(of("rgb(119, 119, 119)"), of("rgb(255, 255, 255)")) < 4.5);
}
