//! What a misspelt name was meant to be.

/// The candidate with the smallest edit distance, or an empty text if none is near.
pub(crate) fn nearest(text: &str, candidates: impl Iterator<Item = String>) -> String {
    let distance = |a: &str, b: &str| {
        let b: Vec<char> = b.chars().collect();
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.chars().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let substituted = diagonal + usize::from(x != *y);
                diagonal = row[j + 1];
                row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
            }
        }
        row[b.len()]
    };
    let lower = text.to_lowercase();
    candidates
        // A name cut short (`eps`) means the name it begins, however many letters are missing.
        .map(|name| (lower.is_empty() || !name.starts_with(&lower), distance(&lower, &name), name))
        .min()
        .filter(|(other, d, name)| !other || *d <= name.len().max(lower.len()).div_ceil(2))
        .map_or_else(String::new, |(_, _, name)| name)
}
